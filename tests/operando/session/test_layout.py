"""A run gets a folder of its own, or is refused with the reason."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from operando.session.layout import RunDirectoryError, make_run_directory, open_run_directory, refuse_used_directory

SHIPPED = Path(__file__).parents[3] / "experiments" / "cus_26mpa.toml"


def test_a_run_keeps_the_exact_bytes_and_a_secret_only_its_owner_reads(tmp_path: Path) -> None:
    run = make_run_directory(SHIPPED, "a", directory=tmp_path / "deep" / "run")
    assert run.experiment.read_bytes() == SHIPPED.read_bytes()
    assert run.token.stat().st_mode & 0o077 == 0
    assert open_run_directory(run.path).path == run.path


def test_of_two_runs_that_want_one_folder_at_once_one_gets_it(tmp_path: Path) -> None:
    def make(_: int) -> bool:
        try:
            make_run_directory(SHIPPED, "a", directory=tmp_path / "run")
        except RunDirectoryError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(make, range(8))) == 1


def test_a_folder_in_which_a_run_lives_is_refused_with_its_processes(tmp_path: Path) -> None:
    folder = tmp_path / "processes"
    folder.mkdir()
    me = {"pid": os.getpid(), "create_time": psutil.Process().create_time()}
    (folder / "guard.pid").write_text(json.dumps(me), encoding="utf-8")
    with pytest.raises(RunDirectoryError, match=rf"a run lives there: guard {os.getpid()}"):
        refuse_used_directory(tmp_path)


@pytest.mark.parametrize("place", ["/dev/null", "/dev/null/run", "/proc/run", "x" * 300])
def test_a_place_where_nothing_can_be_written_is_refused(place: str, tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match="--run-dir"):
        make_run_directory(SHIPPED, "a", directory=tmp_path / place)


def test_a_link_to_itself_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(RunDirectoryError, match="no such folder"):
        open_run_directory(tmp_path / "loop")
