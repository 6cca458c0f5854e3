"""The guard's log while its disk takes nothing."""

import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from operando.guard.record import Record
from operando.model.cell_log import CellLogReader, CellLogWriter
from operando.model.clock import SystemClock
from tests.support.fast_clock import FastClock

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
