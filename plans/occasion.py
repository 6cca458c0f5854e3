"""Why a tomogram is due, and how long it may be taken."""

from collections.abc import Callable
from dataclasses import dataclass

from operando.model.cell_state import CellState
from operando.model.schedule import CellStep
from plans.triggers import DueTomogram


@dataclass(frozen=True)
class Occasion:
    """A tomogram that is due: its step and cycle, how cell and plan are synchronised, and how long it may be taken.

    ``holds`` says, given what the guard says of the cell, whether its window still holds; ``stop_v`` is the voltage at
    which the current was stopped for it, ``None`` if it was not.
    """

    due: DueTomogram
    step: CellStep
    cycle: int
    sync: str
    holds: Callable[[CellState], bool] = lambda _: True
    target_v: float | None = None
    stop_v: float | None = None
