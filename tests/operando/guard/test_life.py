"""One guard for each run directory, known by its lock and its pid file."""

import errno
import fcntl
import threading
import time
from pathlib import Path
from typing import IO

import psutil
import pytest

from operando.guard import life
from operando.guard.life import GuardRunsAlreadyError, has_guard, only_guard
from operando.model.process_files import ProcessRecord, read_pid_files
from operando.model.process_start import process_start
from operando.model.run_directory import RunDirectory

WITHIN_S = 20.0


def test_the_pid_file_names_this_process_and_its_computer(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    with only_guard(run):
        (record,) = read_pid_files(run.processes)
        assert (record.role, record.pid) == ("guard", psutil.Process().pid)
        assert record.host
        assert record.start == process_start(record.pid)
        assert record.alive
        assert {path.name for path in run.processes.iterdir()} == {"guard.lock", "guard.pid"}
    assert read_pid_files(run.processes) == []


def test_a_pid_file_that_a_full_disk_did_not_take_is_written_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The file of the guard before stays whole meanwhile."""
    run = RunDirectory(tmp_path)
    run.processes.mkdir()
    before = ProcessRecord("guard", 1, 5.0)
    (run.processes / "guard.pid").write_text('{"pid": 1, "create_time": 5.0}')
    there_is_room = threading.Event()
    write_text = Path.write_text

    def write(path: Path, text: str) -> int:
        if there_is_room.is_set():
            return write_text(path, text)
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", write)
    monkeypatch.setattr(life, "LOOK_ROUND_S", 0.01)
    with only_guard(run):
        assert read_pid_files(run.processes) == [before]
        assert "The run directory cannot be written" in caplog.text
        there_is_room.set()
        deadline_s = time.monotonic() + WITHIN_S
        while read_pid_files(run.processes) == [before]:
            assert time.monotonic() < deadline_s
        assert [record.pid for record in read_pid_files(run.processes)] == [psutil.Process().pid]
    assert read_pid_files(run.processes) == []


def test_a_look_in_the_very_moment_keeps_no_guard_from_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunDirectory(tmp_path)
    run.processes.mkdir()
    flock = fcntl.flock
    with (run.processes / life.LOCK_NAME).open("a") as look:
        flock(look, fcntl.LOCK_SH)

        def lock(file: IO[str], operation: int) -> None:
            try:
                flock(file, operation)
            except BlockingIOError:
                flock(look, fcntl.LOCK_UN)  # the look is over
                raise

        monkeypatch.setattr(fcntl, "flock", lock)
        with only_guard(run):
            assert has_guard(run)


def test_a_second_guard_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunDirectory(tmp_path)
    monkeypatch.setattr(life, "LOCK_PAUSE_S", 0.0)
    with only_guard(run), pytest.raises(GuardRunsAlreadyError, match="has a guard already"), only_guard(run):
        pass
    assert not has_guard(run)
