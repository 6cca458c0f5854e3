"""What a potentiostat says of its channel at one moment."""

from dataclasses import dataclass
from enum import IntEnum


class ChannelState(IntEnum):
    """What the channel does, as the instrument says it."""

    STOP = 0
    RUN = 1
    PAUSE = 2


def channel_state(value: float) -> ChannelState:
    """Return the state; one that is not known (SYNC, NaN) counts as PAUSE, for the cell may be connected."""
    return ChannelState(int(value)) if value in tuple(ChannelState) else ChannelState.PAUSE


@dataclass(frozen=True)
class Snapshot:
    """One reading of the channel. What the instrument does not have is ``None``; NaN is what it said."""

    voltage_v: float
    current_a: float
    elapsed_s: float
    state: ChannelState
    technique_index: int
    overflow: bool
    charge_mah: float | None
    time_s: float
