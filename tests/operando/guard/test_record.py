"""The guard's log while its disk takes nothing."""

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from operando.guard.kept_log import MOST_UNCOMMITTED, KeptLog
from operando.guard.memory import remembered
from operando.guard.record import Record
from operando.guard.writing_thread import PATIENCE_S
from operando.model.cell_log import CellLogReader, CellLogWriter
from operando.model.clock import SystemClock
from operando.model.clock_fit import ClockFit
from tests.support.fast_clock import FastClock

TIMEOUT_S = 20.0
LONG_TEXT = "x" * 20_000  # some pages of the database


class FillableLog(CellLogWriter):
    """A log whose disk can be filled and emptied; SQLite itself says that it is full."""

    def fill(self) -> None:
        num_pages = self._database.execute("PRAGMA page_count").fetchone()[0]
        self._database.execute(f"PRAGMA max_page_count = {num_pages}")

    def make_room(self) -> None:
        self._database.execute("PRAGMA max_page_count = 1000000")


@pytest.fixture
def clock() -> Iterator[SystemClock]:
    clock = SystemClock()
    yield clock
    clock.close()


def texts(path: Path) -> list[str]:
    reader = CellLogReader(path)
    try:
        return [event["text"] for event in reader.rows("events")]
    finally:
        reader.close()


def test_a_full_disk_does_not_stop_the_guard_and_is_said_once(
    tmp_path: Path, clock: SystemClock, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "cell.sqlite"
    log = FillableLog(path)
    record = Record(log, clock, clock)
    record.event("note", "before")
    log.fill()
    with caplog.at_level(logging.CRITICAL):
        for _ in range(3):
            record.event("trip", LONG_TEXT)
    assert [entry.message for entry in caplog.records if "cannot be written" in entry.message] == [
        "The log cannot be written (database or disk is full); the guard goes on. Make room on the disk."
    ]
    log.make_room()
    record.event("note", "after")
    record.close()
    found = texts(path)
    assert (found[0], found[-1]) == ("before", "after")


def test_rows_that_could_not_be_committed_are_not_shown_as_committed(tmp_path: Path, clock: SystemClock) -> None:
    class RefusingLog(CellLogWriter):
        def commit(self) -> None:
            raise sqlite3.OperationalError("disk I/O error")

    log = RefusingLog(tmp_path / "cell.sqlite")
    record = Record(log, clock, clock)
    record.event("note", "not committed")
    assert set(record.committed_rows.values()) == {0}
    CellLogWriter.commit(log)
    assert texts(tmp_path / "cell.sqlite") == ["not committed"]


class CountingLog(CellLogWriter):
    num_commits = 0

    def commit(self) -> None:
        self.num_commits += 1
        super().commit()


def test_a_host_whose_clock_is_set_back_commits_at_the_same_pace(tmp_path: Path) -> None:
    host, log = FastClock(), CountingLog(tmp_path / "cell.sqlite")
    record = Record(log, host, host)
    record.commit()
    host.set_by(-3600.0)
    record.commit_if_due(fast_forward=True)
    assert log.num_commits == 1
    host.sleep_until(host.now() + 0.11)
    record.commit_if_due(fast_forward=True)
    assert log.num_commits == 2
    record.close()


def kinds(path: Path) -> list[str]:
    reader = CellLogReader(path)
    try:
        return [event["kind"] for event in reader.rows("events")]
    finally:
        reader.close()


def test_a_trip_that_the_log_refused_is_written_when_it_can_be(tmp_path: Path, clock: SystemClock) -> None:
    room = tmp_path / "room"
    record = Record(CellLogWriter(room / "cell.sqlite"), clock, clock)
    record.event_without_delay("trip", "46 degC")
    tripped_s = clock.now()
    record.event("note", "lost")
    record.commit()
    room.mkdir()
    record.event("note", "room at last")
    reader = CellLogReader(room / "cell.sqlite")
    trip, note = reader.rows("events")
    reader.close()
    assert (trip["kind"], trip["text"], note["text"]) == ("trip", "46 degC", "room at last")
    assert trip["time_s"] <= tripped_s
    assert remembered(room / "cell.sqlite").trip == "46 degC"
    record.close()
    assert kinds(room / "cell.sqlite") == ["trip", "note"]


def test_a_trip_cleared_while_the_log_refused_it_is_no_trip_for_the_guard_that_follows(
    tmp_path: Path, clock: SystemClock
) -> None:
    room = tmp_path / "room"
    record = Record(CellLogWriter(room / "cell.sqlite"), clock, clock)
    record.event_without_delay("trip", "46 degC")
    record.event("trip_cleared", "M. Muster: looked at it")
    room.mkdir()
    record.commit()
    assert kinds(room / "cell.sqlite") == ["trip", "trip_cleared"]
    assert remembered(room / "cell.sqlite").trip == ""
    record.close()


def test_a_trip_whose_commit_failed_is_in_the_log_once(tmp_path: Path, clock: SystemClock) -> None:
    """SQLite keeps what was appended, or takes it back; both times it is there once."""

    class RefusingLog(CellLogWriter):
        refuses, takes_back = True, False

        def commit(self) -> None:
            if self.refuses:
                if self.takes_back and self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise sqlite3.OperationalError("disk I/O error")
            super().commit()

    for takes_back in (False, True):
        path = tmp_path / f"{takes_back}.sqlite"
        log = RefusingLog(path)
        log.takes_back = takes_back
        record = Record(log, clock, clock)
        record.event_without_delay("trip", "46 degC")
        record.event("trip_cleared", "M. Muster: looked at it")
        log.refuses = False
        record.commit()
        record.close()
        assert kinds(path) == ["trip", "trip_cleared"]


class StallingLog(CellLogWriter):
    """A log whose disk takes nothing until it is let go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.goes_on = threading.Event()
        self.goes_on.set()

    def commit(self) -> None:
        assert self.goes_on.wait(TIMEOUT_S)
        super().commit()


def test_a_disk_that_stalls_is_told_when_it_is_over_and_costs_no_event(tmp_path: Path, clock: SystemClock) -> None:
    log = StallingLog(tmp_path / "cell.sqlite")
    record = Record(log, clock, clock)
    record.event("note", "before")
    log.goes_on.clear()
    record.event_without_delay("trip", "46 degC")
    record.event("safe", "meanwhile")
    record.commit()
    assert texts(tmp_path / "cell.sqlite") == ["before"]
    log.goes_on.set()
    deadline_s = time.monotonic() + TIMEOUT_S
    while kinds(tmp_path / "cell.sqlite")[-1] != "log_late":
        record.commit()
        assert time.monotonic() < deadline_s
    assert kinds(tmp_path / "cell.sqlite") == ["note", "trip", "safe", "log_late"]
    assert texts(tmp_path / "cell.sqlite")[-1].endswith(
        "Memory had room for all of it. See that the run's disk is a local one and not too busy."
    )
    record.close()


def test_what_found_no_room_in_memory_while_the_disk_stalled_is_counted(tmp_path: Path, clock: SystemClock) -> None:
    log = StallingLog(tmp_path / "cell.sqlite")
    record = Record(log, clock, clock, most_waiting=5)
    log.goes_on.clear()
    record.event("note", "before")
    for _ in range(10):
        record.clock_fit("potentiostat", ClockFit(*7 * (0.0,), 2))
    record.event("trip", "46 degC")
    record.commit()
    log.goes_on.set()
    deadline_s = time.monotonic() + TIMEOUT_S
    while "log_late" not in kinds(tmp_path / "cell.sqlite"):
        record.commit()
        assert time.monotonic() < deadline_s
    record.close()
    assert kinds(tmp_path / "cell.sqlite") == ["note", "trip", "log_late"]
    assert "6 of its rows found no room" in texts(tmp_path / "cell.sqlite")[-1]


def test_a_stall_that_outlasts_the_guard_is_told_before_the_log_is_closed(tmp_path: Path, clock: SystemClock) -> None:
    log = StallingLog(tmp_path / "cell.sqlite")
    record = Record(log, clock, clock)
    log.goes_on.clear()
    record.event("guard", "Ended.")
    ending = threading.Thread(target=record.close)
    ending.start()
    ending.join(PATIENCE_S)
    assert ending.is_alive()
    log.goes_on.set()
    ending.join(TIMEOUT_S)
    assert kinds(tmp_path / "cell.sqlite") == ["guard", "log_late"]


def test_a_disk_that_is_slow_all_the_time_does_not_fill_the_log(
    tmp_path: Path, clock: SystemClock, caplog: pytest.LogCaptureFixture
) -> None:
    log = StallingLog(tmp_path / "cell.sqlite")
    record = Record(log, clock, clock)
    for number in range(4):
        log.goes_on.clear()
        record.event("note", f"{number}")
        record.commit()
        log.goes_on.set()
        record._thread.wait()
        record.commit()
    assert kinds(tmp_path / "cell.sqlite") == ["note", "log_late", "note", "note", "note"]
    record.close()
    assert kinds(tmp_path / "cell.sqlite")[-1] == "log_late"
    assert "3 times since this was told last" in texts(tmp_path / "cell.sqlite")[-1]
    assert caplog.text.count("has not taken the log") == 1


def test_a_trip_is_not_kept_by_a_disk_that_stalls_for_longer_than_a_stop_may_wait(
    tmp_path: Path, clock: SystemClock
) -> None:
    log = StallingLog(tmp_path / "cell.sqlite")
    record = Record(log, clock, clock)
    record.event("note", "before")
    waited_s = record.writing_s
    log.goes_on.clear()
    record.event_without_delay("trip", "46 degC")
    assert record.writing_s - waited_s < PATIENCE_S / 2
    log.goes_on.set()
    record.close()
    assert kinds(tmp_path / "cell.sqlite") == ["note", "trip"]


def test_commits_that_a_stalled_disk_cannot_take_need_no_room_in_memory(tmp_path: Path, clock: SystemClock) -> None:
    log = StallingLog(tmp_path / "cell.sqlite")
    record = Record(log, clock, clock, most_waiting=5)
    log.goes_on.clear()
    record.event("note", "before")
    for _ in range(10):
        record.commit()
    record.clock_fit("potentiostat", ClockFit(*7 * (0.0,), 2))
    log.goes_on.set()
    record._thread.wait()
    record.close()
    assert "Memory had room for all of it." in texts(tmp_path / "cell.sqlite")[-1]


def test_rows_that_nobody_commits_are_committed_a_thousand_at_a_time(tmp_path: Path) -> None:
    log = CountingLog(tmp_path / "cell.sqlite")
    kept = KeptLog(log)
    for number in range(2 * MOST_UNCOMMITTED + 1):
        rows = {"temperature": ("OK", (25.0,))}
        kept.samples(rows, time_s=float(number), wall_s=0.0, period_s=1.0)
    assert log.num_commits == 2
    assert kept.committed_rows["temperature"] == 2 * MOST_UNCOMMITTED
    kept.close()
