"""One owner for each instrument, however it ends; whoever only looks is in nobody's way."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from operando.model.instrument_lock import InstrumentOwnedError, Owner, only_owner, owner_at_port, owner_of

SERVER, CAMERA = "192.168.10.20:5064", "BAM:PCO:"
HOLD = """
import sys
from pathlib import Path
from operando.model.instrument_lock import Owner, only_owner
import os
owner = Owner(sys.argv[2], "guard", os.getpid(), "/runs/other", int(sys.argv[4]))
with only_owner(sys.argv[1], owner, folder=Path(sys.argv[3])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(folder: Path, *, instrument: str = CAMERA, port: int = 0) -> "Iterator[subprocess.Popen[str]]":
    command = [sys.executable, "-c", HOLD, SERVER, instrument, str(folder), str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def mine(instrument: str = CAMERA, port: int = 0) -> Owner:
    return Owner(instrument, "acquisition", os.getpid(), "/runs/mine", port)


def test_a_second_owner_is_refused_with_the_first_ones_role_run_and_process(tmp_path: Path) -> None:
    with (
        another_process(tmp_path) as first,
        pytest.raises(InstrumentOwnedError, match=rf"guard of /runs/other \(process {first.pid}\) has BAM:PCO:"),
        only_owner(SERVER, mine(), folder=tmp_path),
    ):
        pass


def test_a_killed_owner_frees_its_instrument_at_once_and_is_named_no_more(tmp_path: Path) -> None:
    with another_process(tmp_path) as first:
        found = owner_of(SERVER, CAMERA, folder=tmp_path)
        assert found is not None
        assert found.pid == first.pid
        first.kill()
        first.wait(10)
        assert owner_of(SERVER, CAMERA, folder=tmp_path) is None
        with only_owner(SERVER, mine(), folder=tmp_path):
            assert owner_of(SERVER, CAMERA, folder=tmp_path) == mine()
    assert owner_of(SERVER, CAMERA, folder=tmp_path) is None


def test_the_same_names_at_another_server_are_another_instrument(tmp_path: Path) -> None:
    with (
        another_process(tmp_path),
        only_owner("localhost:5064", mine(), folder=tmp_path),
        only_owner(SERVER, mine("BAM:PCO2:"), folder=tmp_path),
    ):
        assert owner_of("localhost:5065", CAMERA, folder=tmp_path) is None


def test_whoever_looks_is_in_nobodys_way(tmp_path: Path) -> None:
    with only_owner(SERVER, mine(), folder=tmp_path):
        pass
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            owner_of(SERVER, CAMERA, folder=tmp_path)

    looking = [threading.Thread(target=look) for _ in range(2)]
    for thread in looking:
        thread.start()
    try:
        for _ in range(50):
            with only_owner(SERVER, mine(), folder=tmp_path):
                assert owner_of(SERVER, CAMERA, folder=tmp_path) == mine()
    finally:
        over.set()
        for thread in looking:
            thread.join(10)


def test_the_living_owner_of_a_port_is_found_and_a_dead_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "operando_instrument_dead.lock").write_text(json.dumps({**vars(mine(port=5074))}))
    assert owner_at_port(5074, folder=tmp_path) is None
    with another_process(tmp_path, port=5074) as first:
        found = owner_at_port(5074, folder=tmp_path)
        assert found is not None
        assert found.pid == first.pid
        assert owner_at_port(5075, folder=tmp_path) is None


def test_anybody_may_lock_whatever_the_umask_of_who_came_first(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with only_owner(SERVER, mine(), folder=tmp_path):
            pass
    finally:
        os.umask(before)
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o666}


def test_another_users_file_that_cannot_be_written_locks_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with only_owner(SERVER, mine(), folder=tmp_path):
        pass
    opened = os.open

    def read_only(path: Path, flags: int, mode: int = 0o777) -> int:
        """As for a user who may only read; the tests' own user may be root, whom no permission stops."""
        if flags & os.O_RDWR:
            raise PermissionError(path)
        return opened(path, flags, mode)

    monkeypatch.setattr(os, "open", read_only)
    with only_owner(SERVER, Owner(CAMERA, "guard", 1, "/runs/third"), folder=tmp_path):
        assert owner_of(SERVER, CAMERA, folder=tmp_path) is not None
        with (
            pytest.raises(InstrumentOwnedError, match="end that one first"),
            only_owner(SERVER, mine(), folder=tmp_path),
        ):
            pass
    assert owner_of(SERVER, CAMERA, folder=tmp_path) is None


def test_a_file_of_nonsense_is_held_by_an_unknown_process(tmp_path: Path) -> None:
    with only_owner(SERVER, mine(), folder=tmp_path):
        (file,) = tmp_path.glob("*.lock")
        file.write_text("[1, 2")
        found = owner_of(SERVER, CAMERA, folder=tmp_path)
        assert found is not None
        assert "unknown run" in found.sentence


def test_a_link_in_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    with only_owner(SERVER, mine(), folder=tmp_path):
        pass
    (file,) = tmp_path.glob("*.lock")
    precious = tmp_path / "precious"
    precious.write_text("data")
    file.unlink()
    file.symlink_to(precious)
    with pytest.raises(OSError, match="symbolic links"), only_owner(SERVER, mine(), folder=tmp_path):
        pass
    assert precious.read_text() == "data"
