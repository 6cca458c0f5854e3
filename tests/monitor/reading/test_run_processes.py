import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import psutil
import pytest

from operando.model.process_files import write_pid_file
from operando.model.run_directory import RunDirectory
from operando.monitor.reading.run_processes import Life, ProcessWatch
from tests.monitor.conftest import OpenMonitor
from tests.support.run_directories import FakedRun

OpenOn = Callable[[RunDirectory], OpenMonitor]
SLEEPER = (sys.executable, "-c", "import time; time.sleep(600)")


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(SLEEPER)
    yield process
    process.kill()
    process.wait()


def test_who_is_killed_has_died_from_the_look_at_which_it_was_seen(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    run = RunDirectory(tmp_path)
    write_pid_file(run.processes, "guard", sleeper.pid)
    watch = ProcessWatch(run)
    (lives,) = watch.update(100.0)
    assert lives.life is Life.LIVES
    assert lives.since_s == pytest.approx(psutil.Process(sleeper.pid).create_time())
    sleeper.kill()
    sleeper.wait()
    assert [(process.life, process.since_s) for process in watch.update(103.0)] == [(Life.DIED, 103.0)]
    assert [(process.life, process.since_s) for process in watch.update(110.0)] == [(Life.DIED, 103.0)]


def test_who_takes_its_pid_file_away_has_ended(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    run = RunDirectory(tmp_path)
    write_pid_file(run.processes, "analysis", sleeper.pid)
    watch = ProcessWatch(run)
    watch.update(100.0)
    (run.processes / "analysis.pid").unlink()
    (ended,) = watch.update(101.0)
    assert (ended.life, ended.since_s, ended.is_missing) == (Life.ENDED, 101.0, False)


def test_who_is_restarted_lives_again_with_another_pid(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    run = RunDirectory(tmp_path)
    (run.processes).mkdir()
    (run.processes / "guard.pid").write_text('{"role": "guard", "pid": 999999999, "create_time": 5.0}')
    watch = ProcessWatch(run)
    assert [process.life for process in watch.update(100.0)] == [Life.DIED]
    write_pid_file(run.processes, "guard", sleeper.pid)
    assert [(process.life, process.pid) for process in watch.update(101.0)] == [(Life.LIVES, sleeper.pid)]


def test_who_was_away_between_two_looks_only_was_restarted(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    run = RunDirectory(tmp_path)
    write_pid_file(run.processes, "guard", os.getpid())
    watch = ProcessWatch(run)
    (first,) = watch.update(100.0)
    assert not first.was_restarted(100.0)
    write_pid_file(run.processes, "guard", sleeper.pid)
    (second,) = watch.update(101.0)
    assert (second.life, second.pid, second.since_s) == (Life.LIVES, sleeper.pid, 101.0)
    (second,) = watch.update(130.9)
    assert second.was_restarted(130.9)
    assert not second.was_restarted(131.1)


def test_who_begins_after_the_one_before_has_ended_was_not_restarted(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    run = RunDirectory(tmp_path)
    write_pid_file(run.processes, "analysis", os.getpid())
    watch = ProcessWatch(run)
    watch.update(100.0)
    (run.processes / "analysis.pid").unlink()
    watch.update(101.0)
    write_pid_file(run.processes, "analysis", sleeper.pid)
    (another,) = watch.update(102.0)
    assert another.life is Life.LIVES
    assert not another.was_restarted(102.0)


def test_who_stands_still_is_told_from_who_works(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    run = RunDirectory(tmp_path)
    write_pid_file(run.processes, "acquisition", sleeper.pid)
    watch = ProcessWatch(run)
    os.kill(sleeper.pid, signal.SIGSTOP)
    give_up_s = monotonic() + 10.0
    while psutil.Process(sleeper.pid).status() != psutil.STATUS_STOPPED:
        assert monotonic() < give_up_s
    assert [process.life for process in watch.update(100.0)] == [Life.STANDS_STILL]
    os.kill(sleeper.pid, signal.SIGCONT)
    while psutil.Process(sleeper.pid).status() == psutil.STATUS_STOPPED:
        assert monotonic() < give_up_s
    assert [(process.life, process.since_s) for process in watch.update(104.0)] == [(Life.LIVES, 104.0)]


def test_of_a_run_from_another_computer_nobody_here_says_who_died(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    run.processes.mkdir()
    (run.processes / "guard.pid").write_text(
        '{"role": "guard", "pid": 999999999, "create_time": 5.0, "host": "hutch-2"}'
    )
    (guard,) = ProcessWatch(run).update(100.0)
    assert (guard.life, guard.host, guard.is_missing) == (Life.ELSEWHERE, "hutch-2", False)
    assert socket.gethostname() != "hutch-2"


def test_who_was_dead_before_anybody_looked_died_after_its_last_word(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    run.processes.mkdir()
    for path, time_s in ((run.processes / "guard.pid", 50.0), (run.cell_log, 90.0)):
        path.write_text('{"role": "guard", "pid": 999999999, "create_time": 5.0}')
        os.utime(path, (time_s, time_s))
    (guard,) = ProcessWatch(run).update(100.0)
    assert (guard.life, guard.since_s) == (Life.DIED, 90.0)


def test_a_damaged_pid_file_ends_nobody_and_is_told(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    run = RunDirectory(tmp_path)
    write_pid_file(run.processes, "guard", sleeper.pid)
    watch = ProcessWatch(run)
    watch.update(1.0)
    assert watch.problem == ""
    (run.processes / "guard.pid").write_text('{"role": "guard", "pid": "many"}')
    (run.processes / "analysis.pid").write_text("?")
    assert [process.life for process in watch.update(2.0)] == [Life.LIVES]
    assert watch.problem.startswith("guard.pid, analysis.pid: damaged")


def test_where_the_folder_of_pid_files_cannot_be_read_nobody_is_said_to_have_ended(
    open_monitor: OpenOn, growing: FakedRun, sleeper: subprocess.Popen[bytes]
) -> None:
    write_pid_file(growing.run.processes, "guard", sleeper.pid)
    watch = ProcessWatch(growing.run)
    watch.update(1.0)
    shutil.rmtree(growing.run.processes)
    growing.run.processes.write_text("no folder")
    with pytest.raises(NotADirectoryError):
        watch.update(2.0)
    open_monitor(growing.run).until(lambda view: any(problem.startswith("processes:") for problem in view.problems))


def test_the_window_says_in_red_who_died_and_that_it_was_restarted(
    open_monitor: OpenOn, growing: FakedRun, sleeper: subprocess.Popen[bytes]
) -> None:
    write_pid_file(growing.run.processes, "guard", sleeper.pid)
    monitor = open_monitor(growing.run)
    monitor.until(lambda view: [process.life for process in view.processes] == [Life.LIVES])
    assert "DIED" not in monitor.texts
    sleeper.kill()
    sleeper.wait()
    begin_s = monotonic()
    monitor.until(lambda view: "The guard has DIED" in monitor.texts)
    assert monotonic() - begin_s < 2.0
    another = subprocess.Popen(SLEEPER)
    try:
        write_pid_file(growing.run.processes, "guard", another.pid)
        monitor.until(lambda view: "The guard was restarted" in monitor.texts)
        assert "DIED" not in monitor.texts
    finally:
        another.kill()
        another.wait()
