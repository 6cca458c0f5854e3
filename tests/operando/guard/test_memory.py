"""What a restarted guard knows from the log, also from a damaged one."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from operando.guard.memory import remembered
from operando.model.cell_log import CellLogWriter

STEP: dict[str, Any] = {"step": "charge", "holds": False, "max_duration_s": 600.0, "started_elapsed_s": 1.0}


def written(path: Path, *events: tuple[str, str, dict[str, Any]]) -> Path:
    log = CellLogWriter(path)
    for kind, text, data in events:
        log.event(kind, text, time_s=1.0, wall_s=1.0, data=data)
    log.close()
    return path


def damage(path: Path, line: int, data: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE events SET data = ? WHERE id = ?", (data, line))


@pytest.mark.parametrize("data", ['{"step": "charge", "ho', '{"step": "charge"}', "[" * 100_000, '{"holds": {}}'])
def test_a_damaged_event_counts_as_a_trip_until_a_person_clears_it(tmp_path: Path, data: str) -> None:
    events = [("note", "hello", {}), ("step", "charge", STEP)]
    path = written(tmp_path / "cell.sqlite", *events)
    damage(path, 2, data)
    memory = remembered(path)
    assert memory.step is None
    assert "Line 2 of the log's events is damaged" in memory.trip
    written(path, ("trip_cleared", "M. Muster: looked at it", {}), ("step", "charge", STEP))
    memory = remembered(path)
    assert memory.trip == ""
    assert memory.step is not None


def test_a_damaged_event_hides_no_trip_before_or_after_it(tmp_path: Path) -> None:
    path = written(tmp_path / "cell.sqlite", ("trip", "46 degC", {}), ("note", "hello", {}), ("sampling", "1 s", {}))
    damage(path, 2, "{torn")
    assert remembered(path).trip == "46 degC"
    written(path, ("trip", "47 degC", {}))
    assert remembered(path).trip == "47 degC"


def test_a_damaged_sample_counts_as_a_trip(tmp_path: Path) -> None:
    path = tmp_path / "cell.sqlite"
    log = CellLogWriter(path)
    values: Any = (1.0, 2.4, 0.0, "many", 0.0, 1.0, 0.0)
    log.sample("potentiostat", time_s=1.0, wall_s=1.0, period_s=1.0, quality="OK", values=values)
    log.close()
    memory = remembered(path)
    assert "cannot be read" in memory.trip
    assert memory.charge is None
