"""A log is opened beside its guard, and as a copy where nothing can be written beside it."""

import contextlib
import shutil
import sqlite3
from pathlib import Path
from time import monotonic

import pytest

from operando.model import cell_log_opening
from operando.model.cell_log import CellLogReader, CellLogWriter
from operando.model.cell_log_opening import open_log


def copied_while_it_grows(folder: Path, *names: str) -> Path:
    """Return the copy of a log of which the last event is in its write-ahead log only."""
    writer = CellLogWriter(folder / "cell.sqlite")
    writer.event("note", "folded", time_s=1.0, wall_s=1.0)
    writer.commit()
    writer._database.execute("PRAGMA wal_checkpoint")
    writer.event("note", "ahead", time_s=2.0, wall_s=2.0)
    writer.commit()
    copy = folder / "copy" / "cell.sqlite"
    copy.parent.mkdir()
    for name in names:
        shutil.copyfile(folder / name, copy.parent / name)
    (copy.parent / "cell.sqlite-shm").mkdir()  # so that SQLite cannot make it, not for the superuser either
    writer.close()
    return copy


@pytest.mark.parametrize(
    ("names", "texts"),
    [(("cell.sqlite", "cell.sqlite-wal"), ["folded", "ahead"]), (("cell.sqlite",), ["folded"])],
    ids=["with what is ahead", "alone"],
)
def test_a_copy_on_read_only_media_is_read_as_far_as_it_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], texts: list[str]
) -> None:
    monkeypatch.setattr(cell_log_opening, "is_writable", lambda folder: False)
    copy = copied_while_it_grows(tmp_path, *names)
    with contextlib.closing(CellLogReader(copy)) as log:
        assert [row["text"] for row in log.rows("events")] == texts


def test_a_log_that_is_held_alone_is_waited_for_as_long_as_asked(tmp_path: Path) -> None:
    path = tmp_path / "cell.sqlite"
    held = sqlite3.connect(path, isolation_level=None)
    held.execute("CREATE TABLE events (id INTEGER PRIMARY KEY)")
    held.execute("BEGIN EXCLUSIVE")
    began_s = monotonic()
    with (
        contextlib.closing(CellLogReader(path, longest_wait_s=0.05)) as log,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        log.rows("events")
    assert monotonic() - began_s < 2.0  # SQLite's own is 5 s
    held.close()


@pytest.mark.parametrize("is_writable", [False, True])
def test_a_file_that_is_no_log_is_told_by_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_writable: bool
) -> None:
    monkeypatch.setattr(cell_log_opening, "is_writable", lambda folder: is_writable)
    (tmp_path / "rubbish").write_bytes(b"rubbish" * 1000)
    with contextlib.closing(open_log(tmp_path / "rubbish")) as log, pytest.raises(sqlite3.DatabaseError):
        log.execute("SELECT 1 FROM sqlite_master").fetchone()
