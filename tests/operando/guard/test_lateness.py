"""A sample that comes late is told, with what the guard did instead."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from operando.guard import lateness, record
from operando.guard.lateness import Lateness
from operando.guard.memory import Memory
from operando.guard.record import Record
from operando.model.cell_log import CellLogReader, CellLogWriter
from operando.model.clock import SystemClock
from tests.operando.guard.test_loop import Bench

PERIOD_S = 1.0


class HostTime:
    """The host's performance counter, set by hand."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class StallingLog(CellLogWriter):
    """A log on a disk whose next commit takes as long as told."""

    def __init__(self, path: Path, host_time: HostTime) -> None:
        super().__init__(path)
        self.host_time, self.stall_s = host_time, 0.0

    def commit(self) -> None:
        self.host_time.now_s, self.stall_s = self.host_time.now_s + self.stall_s, 0.0
        super().commit()


@pytest.fixture
def host_time(monkeypatch: pytest.MonkeyPatch) -> HostTime:
    host_time = HostTime()
    monkeypatch.setattr(lateness, "perf_counter", host_time)
    monkeypatch.setattr(record, "perf_counter", host_time)
    return host_time


@pytest.fixture
def clock() -> Iterator[SystemClock]:
    clock = SystemClock()
    yield clock
    clock.close()


def told(directory: Path) -> list[dict[str, Any]]:
    reader = CellLogReader(directory / "cell.sqlite")
    try:
        return [event for event in reader.rows("events") if event["kind"] == "late"]
    finally:
        reader.close()


def test_a_disk_that_stalls_is_told_by_the_sample_that_came_late(
    tmp_path: Path, clock: SystemClock, host_time: HostTime
) -> None:
    bench = Bench(tmp_path, clock, Memory(period_s=PERIOD_S))
    bench.record._log._log = log = StallingLog(tmp_path / "cell.sqlite", host_time)
    bench.guard.adopt()
    for _ in range(3):
        host_time.now_s += PERIOD_S
        bench.guard.sample()
    assert told(tmp_path) == []
    log.stall_s = 30.0
    bench.guard.sample()
    host_time.now_s += 0.5
    bench.guard.sample()
    (event,) = told(tmp_path)
    period_s = bench.guard.period_s
    assert json.loads(event["data"]) == pytest.approx({"late_s": 30.5 - period_s, "log_s": 30.0, "instruments_s": 0.0})
    assert "Writing the log took 30.0 s, waiting for instruments 0.0 s." in event["text"]
    host_time.now_s += period_s
    bench.guard.sample()
    assert len(told(tmp_path)) == 1
    bench.record.close()


@pytest.fixture
def watched(tmp_path: Path, clock: SystemClock, host_time: HostTime) -> Lateness:
    log = Record(StallingLog(tmp_path / "cell.sqlite", host_time), clock, clock)
    log.event("note", "so that there is a log")
    return Lateness(log, clock)


def sample(watched: Lateness, host_time: HostTime, *, after_s: float, asking_s: float = 0.0) -> None:
    host_time.now_s += after_s
    watched.begin()
    with watched.asking():
        host_time.now_s += asking_s
    watched.tell(PERIOD_S)


def test_instruments_that_answer_late_are_named(tmp_path: Path, watched: Lateness, host_time: HostTime) -> None:
    sample(watched, host_time, after_s=0.0, asking_s=5.0)
    assert told(tmp_path) == []
    sample(watched, host_time, after_s=0.0)
    (event,) = told(tmp_path)
    assert json.loads(event["data"]) == pytest.approx({"late_s": 4.0, "log_s": 0.0, "instruments_s": 5.0})


def test_less_than_two_seconds_and_what_a_command_takes_are_no_lateness(
    tmp_path: Path, watched: Lateness, host_time: HostTime
) -> None:
    sample(watched, host_time, after_s=0.0)
    sample(watched, host_time, after_s=2.9)
    with watched.obeying():
        host_time.now_s += 10.0
    sample(watched, host_time, after_s=2.9)
    assert told(tmp_path) == []


def test_a_disk_that_is_always_slow_does_not_fill_the_log(
    tmp_path: Path, watched: Lateness, host_time: HostTime
) -> None:
    for _ in range(30):
        sample(watched, host_time, after_s=4.0)
    assert len(told(tmp_path)) == 2
    assert " 14 more were late" in told(tmp_path)[-1]["text"]


def test_no_rehearsal_is_looked_at(tmp_path: Path, clock: SystemClock, host_time: HostTime) -> None:
    class VirtualClock:
        now = clock.now

    log = Record(StallingLog(tmp_path / "cell.sqlite", host_time), clock, clock)
    watched = Lateness(log, VirtualClock())  # type: ignore[arg-type]
    for _ in range(3):
        sample(watched, host_time, after_s=100.0)
    log.commit()
    assert told(tmp_path) == []
