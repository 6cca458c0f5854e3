"""What state the cell is in: from what the instrument says and from what the guard asked of it."""

from dataclasses import dataclass

from devices.potentiostat_reading import ChannelState, Snapshot
from operando.model.cell_state import CellState


@dataclass(frozen=True)
class Step:
    """The step that the instrument holds, as far as a restarted guard must know it.

    ``started_elapsed_s`` is the instrument's elapsed time when its technique was seen to run, ``current_a`` the
    constant current of its first technique.
    """

    name: str
    holds: bool
    max_duration_s: float
    started_elapsed_s: float
    current_a: float | None = None


def cell_state(snapshot: Snapshot, step: Step | None) -> CellState:
    """Return the state of a cell that is not tripped; ``step`` is ``None`` when nothing is loaded or it was stopped."""
    if snapshot.state is ChannelState.STOP:
        return CellState.OPEN_CIRCUIT if step is None else CellState.STEP_ENDED
    if step is not None and step.holds and snapshot.technique_index == 1:
        return CellState.HOLDING
    return CellState.RUNNING  # also in PAUSE: the cell may be connected


def limit_was_missed(snapshot: Snapshot, step: Step) -> bool:
    """Whether the instrument may have gone to its hold because time ran out, not because the voltage was reached.

    It cannot be told apart by voltage, for the hold imposes it. Where elapsed time cannot exclude it, it counts as so.
    """
    return snapshot.elapsed_s - step.started_elapsed_s >= step.max_duration_s
