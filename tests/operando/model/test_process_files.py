"""A process is known again by its pid file, whatever happens to the host's clock."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from operando.model import process_files
from operando.model.process_files import ProcessRecord, read_pid_files, write_pid_file
from operando.model.process_start import ProcessStart, process_start

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells the ticks since which boot")
STAT = "{pid} ({name}) S 1 1 1 0 -1 4194304 98 0 0 0 0 0 0 0 20 0 1 0 {ticks} 3133440 382"


@pytest.fixture
def sleeper() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.kill()


def the_clock_is_set(monkeypatch: pytest.MonkeyPatch, step_s: float) -> None:
    """Let what is computed from the boot's time of day move as after a step."""
    real = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: real(process) + step_s)


def changed(folder: Path, **changes: object) -> ProcessRecord:
    path = folder / "guard.pid"
    content = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}), encoding="utf-8")
    (record,) = read_pid_files(folder)
    return record


@LINUX
@pytest.mark.parametrize("step_s", [3600.0, -3600.0])
def test_a_process_lives_on_when_the_clock_is_set(
    tmp_path: Path, sleeper: int, step_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pid_file(tmp_path, "guard", sleeper)
    the_clock_is_set(monkeypatch, step_s)
    (record,) = read_pid_files(tmp_path)
    assert record.alive
    assert not record.stopped


@LINUX
@pytest.mark.parametrize("other", [{"start_ticks": 1}, {"boot_id": "another boot"}])
def test_a_recycled_pid_is_another_process(tmp_path: Path, sleeper: int, other: dict[str, object]) -> None:
    write_pid_file(tmp_path, "guard", sleeper)
    assert not changed(tmp_path, **other).alive


def test_files_that_know_no_ticks_are_judged_by_the_time_of_day(tmp_path: Path, sleeper: int) -> None:
    write_pid_file(tmp_path, "guard", sleeper)
    assert changed(tmp_path, start_ticks=None, boot_id=None).alive
    assert not changed(tmp_path, create_time=1.0).alive


def test_a_system_that_tells_no_ticks_is_judged_by_the_time_of_day(
    tmp_path: Path, sleeper: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pid_file(tmp_path, "guard", sleeper)
    monkeypatch.setattr(process_files, "process_start", lambda _: None)
    assert changed(tmp_path).alive
    assert not changed(tmp_path, create_time=1.0).alive


@pytest.mark.parametrize("name", ["guard", "a) R 1 (b", "two words", ")))"])
def test_ticks_are_found_whatever_the_process_is_called(tmp_path: Path, name: str) -> None:
    (tmp_path / "sys/kernel/random").mkdir(parents=True)
    (tmp_path / "sys/kernel/random/boot_id").write_text("a-boot\n", encoding="ascii")
    (tmp_path / "42").mkdir()
    (tmp_path / "42/stat").write_text(STAT.format(pid=42, name=name, ticks=3831198), encoding="ascii")
    assert process_start(42, proc=tmp_path) == ProcessStart(3831198, "a-boot")


def test_what_is_not_told_is_none(tmp_path: Path) -> None:
    assert process_start(os.getpid(), proc=tmp_path) is None
