"""How long it took from a fault until the cell was at open circuit, or a killed guard was back."""

import contextlib
import sqlite3
from dataclasses import dataclass

from campaigns.fault_invariants import Evidence
from campaigns.fault_plan import PlannedFault
from campaigns.fault_run import DisturbedRun
from operando.model.json_lines import read_json_lines

MARGIN_S = 5.0  # a poll of the instrument, a reading that is tried again, and a command
GUARD_BACK_S = 20.0  # of the host's time; 2 s until it is noticed and the start of a process on a busy computer
_POTENTIOSTAT = ("potentiostat frozen", "potentiostat silent", "potentiostat not a number", "potentiostat disconnected")
_LOAD_CELL = ("load cell silent", "load cell unplugged", "wrong checksums")
_UNREACHABLE = ("potentiostat disconnected",)  # nobody can open the circuit before it is over, or served anew


@dataclass(frozen=True)
class Reaction:
    """What came of one fault.

    ``begun`` tells whether it really happened; ``took_s`` is the reaction time, None where none was needed, and
    ``allowed_s`` what it may be; ``late`` holds a sentence if it was longer.
    """

    begun: bool
    took_s: float | None = None
    allowed_s: float | None = None
    late: str = ""


def reactions(evidence: Evidence, faults: list[PlannedFault], run: DisturbedRun) -> list[Reaction]:
    """Return what came of each fault of a run."""
    lines = read_json_lines(evidence.run.simulation / "faults.jsonl")
    tables = [fault for fault in faults if fault.table is not None]
    found = []
    for fault in faults:
        if fault.table is None:
            found.append(
                _after_signal(evidence, fault, next((sent_s for sent, sent_s in run.signals if sent is fault), None))
            )
            continue
        number = tables.index(fault) + 1
        times_s = {line["event"]: line["time_s"] for line in lines if line["id"] == number}
        if "begun" not in times_s:
            found.append(Reaction(False))
        else:
            found.append(_until_open_circuit(evidence, fault, times_s["begun"], times_s.get("ended")))
    return found


def _until_open_circuit(evidence: Evidence, fault: PlannedFault, begun_s: float, ended_s: float | None) -> Reaction:
    limits = evidence.experiment.limits
    stale_s = limits.stale_potentiostat if fault.name in _POTENTIOSTAT else limits.stale_force
    commands = [(line["time_s"], line["current_a"]) for line in evidence.truth if "current_a" in line]
    current_a = next((current_a for time_s, current_a in reversed(commands) if time_s <= begun_s), 0.0)
    if fault.name not in (*_POTENTIOSTAT, *_LOAD_CELL) or current_a == 0.0:
        return Reaction(True)
    sampling_s = evidence.experiment.sampling_period_s(rehearsal=True)
    allowed_s = stale_s + sampling_s + MARGIN_S
    if fault.name in _UNREACHABLE:
        reachable_s = _next_guard_s(evidence, begun_s) if ended_s is None else ended_s
        allowed_s += 0.0 if reachable_s is None else reachable_s - begun_s
    opened_s = next((time_s for time_s, current_a in commands if time_s > begun_s and current_a == 0.0), None)
    if opened_s is None and evidence.tells_of_an_unsafe_cell:
        return Reaction(True)
    lasted_s = float("inf") if ended_s is None else ended_s - begun_s
    if opened_s is not None and opened_s - begun_s <= allowed_s:
        return Reaction(True, opened_s - begun_s, allowed_s)
    if lasted_s <= stale_s + sampling_s + MARGIN_S:
        return Reaction(True)
    took = "never" if opened_s is None else f"after {opened_s - begun_s:.1f} s"
    return Reaction(
        True,
        None if opened_s is None else opened_s - begun_s,
        allowed_s,
        f"{fault.name} for {lasted_s:.0f} s: the circuit was opened {took}, allowed are {allowed_s:.0f} s",
    )


def _next_guard_s(evidence: Evidence, time_s: float) -> float | None:
    """Return when a guard was started next: at a beamline that was started again, which has no faults any more."""
    with contextlib.closing(sqlite3.connect(f"{evidence.run.cell_log.resolve().as_uri()}?mode=ro", uri=True)) as log:
        found = log.execute(
            "SELECT min(time_s) FROM events WHERE kind = 'guard' AND text = 'Started.' AND time_s > ?", (time_s,)
        )
        next_s: float | None = found.fetchone()[0]
    return next_s


def _after_signal(evidence: Evidence, fault: PlannedFault, sent_s: float | None) -> Reaction:
    if sent_s is None:
        return Reaction(False)
    if fault.name != "guard killed":
        return Reaction(True)
    log = sqlite3.connect(f"{evidence.run.cell_log.resolve().as_uri()}?mode=ro", uri=True)
    try:
        begins = log.execute("SELECT min(wall_s) FROM events WHERE kind = 'guard' AND wall_s > ?", (sent_s,))
        (back_s,) = begins.fetchone()
    finally:
        log.close()
    if back_s is None:
        ended = evidence.exit_code is not None and any(
            name == "stop" and document.get("time", 0.0) <= sent_s + GUARD_BACK_S
            for name, document in evidence.documents[-1:]
        )
        late = "" if ended else "the guard was killed and did not come back"
        return Reaction(True, None, GUARD_BACK_S, late)
    took_s = back_s - sent_s
    late = f"the guard was back {took_s:.1f} s after it was killed" if took_s > GUARD_BACK_S else ""
    return Reaction(True, took_s, GUARD_BACK_S, late)
