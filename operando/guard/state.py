"""What state the cell is in: from what the instrument says and from what the guard asked of it."""

from dataclasses import dataclass
from enum import StrEnum

from devices.potentiostat_reading import ChannelState, Snapshot


class State(StrEnum):
    """State of the cell as the guard publishes it."""

    STARTING = "STARTING"
    OPEN_CIRCUIT = "OPEN_CIRCUIT"
    RUNNING = "RUNNING"
    HOLDING = "HOLDING"
    STEP_ENDED = "STEP_ENDED"
    TRIPPED = "TRIPPED"
    UNSAFE = "UNSAFE"


@dataclass(frozen=True)
class Step:
    """The step that the instrument holds, as far as a restarted guard must know it.

    ``started_elapsed_s`` is the instrument's elapsed time when its technique was seen to run.
    """

    name: str
    holds: bool
    max_duration_s: float
    started_elapsed_s: float


def cell_state(snapshot: Snapshot, step: Step | None) -> State:
    """Return the state of a cell that is not tripped; ``step`` is ``None`` when nothing is loaded or it was stopped."""
    if snapshot.state is ChannelState.STOP:
        return State.OPEN_CIRCUIT if step is None else State.STEP_ENDED
    if step is not None and step.holds and snapshot.technique_index == 1:
        return State.HOLDING
    return State.RUNNING  # also in PAUSE: the cell may be connected


def limit_was_missed(snapshot: Snapshot, step: Step) -> bool:
    """Whether the instrument may have gone to its hold because time ran out, not because the voltage was reached.

    It cannot be told apart by voltage, for the hold imposes it. Where elapsed time cannot exclude it, it counts as so.
    """
    return snapshot.elapsed_s - step.started_elapsed_s >= step.max_duration_s
