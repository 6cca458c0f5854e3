"""Whoever is needed is started again, also when starting it goes wrong at first."""

import errno
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from operando.guard.life import has_guard
from operando.model.process_files import read_pid_files, write_pid_file
from operando.model.run_directory import RunDirectory
from operando.session.processes import ChildProcess, ProcessError, Supervisor

HOLD = """
import sys
from pathlib import Path
from operando.guard.life import only_guard
from operando.model.run_directory import RunDirectory
with only_guard(RunDirectory(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""
FINISHED_WITHIN_S = 20.0  # some polls of 10 ms, on a busy machine


class Child:
    """A process that died; starting it again fails as often as told, and then it does its work."""

    role = "guard"
    was_ready = False

    def __init__(self, num_failures: int) -> None:
        self.num_failures, self.num_starts = num_failures, 0

    def exit_code(self) -> int:
        return 0 if self.num_starts > self.num_failures else 1

    def start(self) -> None:
        self.num_starts += 1
        if self.num_starts <= self.num_failures:
            raise OSError(errno.ENOSPC, "No space left on device")

    def dismiss_reserve(self) -> None:
        pass


@pytest.mark.parametrize("num_failures", [0, 3])
def test_a_restart_that_goes_wrong_is_tried_again_and_logged_once(
    num_failures: int, caplog: pytest.LogCaptureFixture
) -> None:
    child = Child(num_failures)
    supervisor = Supervisor(child, on_restart=lambda _: None, poll_s=0.01)  # type: ignore[arg-type]
    assert supervisor.wait_finished(FINISHED_WITHIN_S)
    assert child.num_starts == num_failures + 1
    supervisor.stop()
    assert len([record for record in caplog.records if "No space left" in record.getMessage()]) == (num_failures > 0)


def test_starts_that_fail_one_after_the_other_are_told_once(tmp_path: Path) -> None:
    """Two that never come to work, one that does, one more that does not, and at last one that has finished."""
    text = (
        "import pathlib, sys\n"
        f"mark = pathlib.Path({str(tmp_path / 'starts')!r})\n"
        "number = len(mark.read_text()) if mark.exists() else 0\n"
        "mark.write_text('x' * (number + 1))\n"
        "if number in (0, 3):\n"
        "    print('READY', flush=True)\n"
        "sys.exit(0 if number == 5 else 10 + number)\n"
    )
    child = ChildProcess("guard", [], tmp_path / "processes", program=(sys.executable, "-c", text))
    child.start()
    told: list[int] = []
    supervisor = Supervisor(child, on_restart=told.append, poll_s=0.01)
    assert supervisor.wait_finished(FINISHED_WITHIN_S)
    supervisor.stop()
    child.end()
    assert child.num_starts == 6
    assert told == [10, 13]


def test_a_terminal_that_is_gone_does_not_end_the_watch() -> None:
    def tell(_exit_code: int) -> None:
        raise BrokenPipeError

    supervisor = Supervisor(Child(0), on_restart=tell, poll_s=0.01)  # type: ignore[arg-type]
    assert supervisor.wait_finished(FINISHED_WITHIN_S)
    supervisor.stop()


def test_what_somebody_else_has_taken_over_is_not_restarted_until_it_is_free(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    looks: list[bool] = []

    def taken_over() -> bool:
        looks.append(has_guard(run))
        return looks[-1]

    child = Child(0)
    with by_hand(tmp_path) as guard:
        supervisor = Supervisor(child, on_restart=lambda _: None, taken_over=taken_over, poll_s=0.01)  # type: ignore[arg-type]
        while len(looks) < 5:
            assert not supervisor.wait_finished(0.01)
        assert all(looks)
        assert child.num_starts == 0
        guard.kill()
        assert supervisor.wait_finished(FINISHED_WITHIN_S)
    assert child.num_starts == 1
    supervisor.stop()


def test_the_pid_file_of_a_guard_started_by_hand_is_left_as_it_is(tmp_path: Path) -> None:
    with by_hand(tmp_path) as guard:
        folder = RunDirectory(tmp_path).processes
        child = ChildProcess("guard", ["--help"], folder)
        child.start()
        assert child.wait(FINISHED_WITHIN_S)
        child.end()
        assert [record.pid for record in read_pid_files(folder)] == [guard.pid]


def test_a_process_that_stands_still_lives_and_is_told_from_one_that_works(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        try:
            write_pid_file(tmp_path, "guard", process.pid)
            (record,) = read_pid_files(tmp_path)
            assert (record.alive, record.stopped) == (True, False)
            process.send_signal(signal.SIGSTOP)
            deadline_s = time.monotonic() + FINISHED_WITHIN_S
            while not record.stopped:
                assert time.monotonic() < deadline_s
            assert record.alive
        finally:
            process.kill()
    assert (record.alive, record.stopped) == (False, False)


def test_a_process_that_is_killed_before_it_is_ready_is_started_once_more(tmp_path: Path) -> None:
    """The first one kills itself; the second one says that it is ready."""
    mark = tmp_path / "mark"
    text = (
        "import os, pathlib, sys\n"
        f"mark = pathlib.Path({str(mark)!r})\n"
        "if not mark.exists():\n"
        "    mark.touch()\n"
        "    os.kill(os.getpid(), 9)\n"
        "print('READY at last', flush=True)\n"
    )
    child = ChildProcess("guard", [], tmp_path / "processes", program=(sys.executable, "-c", text))
    assert child.start_ready() == "at last"
    assert child.num_starts == 2
    child.end()


def test_a_process_that_ends_by_itself_is_not_started_again(tmp_path: Path) -> None:
    child = ChildProcess("guard", ["guard", str(tmp_path / "no run")], tmp_path / "processes")
    with pytest.raises(ProcessError, match="ended before it was ready"):
        child.start_ready()
    assert child.num_starts == 1


@contextmanager
def by_hand(directory: Path) -> "Iterator[subprocess.Popen[str]]":
    """Another process that holds the run's lock, as ``operando guard RUN`` does."""
    command = [sys.executable, "-c", HOLD, str(directory)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()
