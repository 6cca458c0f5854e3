from pathlib import Path

from operando.model.cell_log import CellLogWriter
from operando.monitor.history.event_marks import EventMarkReader, MarkKind


def write(path: Path, *events: tuple[float, str, str]) -> None:
    log = CellLogWriter(path)
    for time_s, kind, text in events:
        log.event(kind, text, time_s=time_s, wall_s=time_s)
    log.close()


def test_trips_limits_steps_and_notes_are_marked_and_other_events_are_not(tmp_path: Path) -> None:
    path = tmp_path / "cell.sqlite"
    reader = EventMarkReader(path)
    assert reader.read() == ()  # no log yet
    write(path, (1.0, "guard", "Started."), (2.0, "step", "rest"), (3.0, "note", "Ana: beam is back"))
    assert [(mark.time_s, mark.kind, mark.text) for mark in reader.read()] == [
        (2.0, MarkKind.STEP, "step begun: rest"),
        (3.0, MarkKind.NOTE, "note: Ana: beam is back"),
    ]
    write(path, (4.0, "limit", "The voltage is 0.64 V."), (5.0, "trip", "Over-voltage."))
    assert [mark.kind for mark in reader.read()[2:]] == [MarkKind.LIMIT, MarkKind.TRIP]


def test_a_log_that_goes_keeps_its_marks_and_another_in_its_place_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "cell.sqlite"
    write(path, (1.0, "step", "rest"), (2.0, "step", "discharge"))
    reader = EventMarkReader(path)
    known = reader.read()
    path.rename(tmp_path / "away")
    assert reader.read() == known
    write(path, (9.0, "step", "charge"))
    assert [mark.text for mark in reader.read()] == ["step begun: charge"]
