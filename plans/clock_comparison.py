"""Before the first step: wait until the guard knows the potentiostat's clock, so that every sample can be placed."""

import contextlib
import math

from bluesky.utils import MsgGenerator

from devices.answers import NO_ANSWER
from operando.model.clock import Clock
from operando.model.clock_words import server_sentence
from plans import clock_waits
from plans.instruments import Cell
from plans.report import Wishes

LONGEST_S = 30.0  # of the clock; eight polls of 1 s are enough
LOOK_S = 1.0


def compare_clocks(cell: Cell, clock: Clock, wishes: Wishes) -> MsgGenerator[str]:
    """Wait for the guard's first fit, at most ``LONGEST_S``; return in a sentence what is known."""
    deadline_s = clock.now() + LONGEST_S
    while not math.isfinite(_read(cell.clock_uncertainty)):
        if clock.now() >= deadline_s or wishes.stopping:
            return (
                f"The potentiostat's clock could not be compared with this computer's within {LONGEST_S:g} s: its "
                "samples are placed by the time of reading, up to a poll late, until it can be. Look whether its "
                "elapsed time runs."
            )
        yield from clock_waits.sleep_until(clock, min(clock.now() + LOOK_S, deadline_s))
    return _sentence(cell)


def _sentence(cell: Cell) -> str:
    uncertainty_s = _read(cell.clock_uncertainty)
    drift_ppm, drift_uncertainty_ppm = _read(cell.clock_drift), _read(cell.clock_drift_uncertainty)
    told = (
        f"The potentiostat's samples are placed to {1e3 * uncertainty_s:.1f} ms; its clock drifts by "
        f"{drift_ppm:+.0f} ppm (uncertainty {drift_uncertainty_ppm:.0f} ppm, falling with time)."
    )
    return " ".join(filter(None, (told, server_sentence(_read(cell.clock_server_behind)))))


def _read(signal: object) -> float:
    with contextlib.suppress(*NO_ANSWER):  # a guard that died is restarted
        return float(signal.get(use_monitor=False))  # type: ignore[attr-defined]
    return math.nan
