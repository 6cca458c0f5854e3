"""What a restarted guard knows from the log: the loaded step, a latched trip, the charge, and old answers."""

import contextlib
import json
import logging
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from devices.potentiostat_reading import ChannelState
from operando.guard.charge import ChargePoint
from operando.guard.inbox import Answer
from operando.guard.state import Step
from operando.model.cell_log import CellLogReader

# what a damaged entry raises, be it no JSON, nested without end, or without what belongs into it
_DAMAGE = (ArithmeticError, KeyError, RecursionError, TypeError, ValueError)
_NUM_ROWS_LOOKED_AT = 1000  # a potentiostat that was silent for longer leaves the charge unknown before them

_logger = logging.getLogger(__name__)


@dataclass
class Memory:
    """State that outlives a guard's process."""

    step: Step | None = None
    trip: str = ""
    charge: ChargePoint | None = None
    period_s: float | None = None
    answers: dict[str, Answer] = field(default_factory=dict)


def remembered(path: Path) -> Memory:
    """Return what the log at ``path`` tells; of a log that does not exist, nothing.

    A log that cannot be read, or an event in it, counts as one of a tripped cell: a latched trip is never forgotten.
    """
    if not path.exists():
        return Memory()
    try:
        with contextlib.closing(CellLogReader(path)) as log:
            return Memory() if log.empty else _told(log)
    except (sqlite3.DatabaseError, *_DAMAGE) as error:
        reason = f"{path} cannot be read ({error}): whether the cell was tripped before is not known."
        _logger.critical("%s", reason)
        return Memory(trip=reason)


def _told(log: CellLogReader) -> Memory:
    memory = Memory()
    for event in log.rows("events"):
        try:
            _remember(memory, event["kind"], event["text"], _data(event["data"]))
        except _DAMAGE as error:
            _remember_damage(memory, event["id"], error)
    memory.charge = _last_charge(log)
    return memory


def _data(text: str) -> dict[str, object]:
    loaded = json.loads(text)
    return loaded if isinstance(loaded, dict) else {}


def _remember(memory: Memory, kind: str, text: str, data: dict[str, object]) -> None:
    if kind == "step":
        current_a = data.get("current_a")
        memory.step = Step(
            str(data["step"]),
            bool(data["holds"]),
            float(str(data["max_duration_s"])),
            float(str(data["started_elapsed_s"])),
            None if current_a is None else float(str(current_a)),
        )
    elif kind == "open_circuit":
        memory.step = None
    elif kind == "trip":
        memory.step, memory.trip = None, text
    elif kind == "trip_cleared":
        memory.trip = ""
    elif kind == "sampling":
        memory.period_s = float(str(data["period_s"]))
    elif kind == "command":
        answer = Answer(str(data["id"]), str(data["outcome"]), str(data["reason"]))
        memory.answers[answer.id] = answer


def _remember_damage(memory: Memory, line: int, error: Exception) -> None:
    """Take a damaged event for a trip, which a later one clears as any other; a reason known before is kept."""
    reason = (
        f"Line {line} of the log's events is damaged ({type(error).__name__}: {error}): "
        "whether the cell was tripped there is not known."
    )
    _logger.critical("%s", reason)
    memory.step, memory.trip = None, memory.trip or reason


def _last_charge(log: CellLogReader) -> ChargePoint | None:
    last = log.last("potentiostat")
    if last is None:
        return None
    for row in reversed(log.rows("potentiostat", after_id=max(last["id"] - _NUM_ROWS_LOOKED_AT, 0))):
        if row["charge_mah"] is None or row["elapsed_s"] is None or row["current_a"] is None:
            continue
        technique = int(row["state"] or ChannelState.STOP), int(row["technique_index"] or 0)
        return ChargePoint(
            float(row["time_s"]),
            float(row["elapsed_s"]),
            float(row["current_a"]),
            float(row["charge_mah"]),
            None if row["instrument_charge_mah"] is None else float(row["instrument_charge_mah"]),
            technique,
        )
    return None
