"""What the limits are compared with: what the instruments have said by one moment, and for how long one is silent."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from devices.potentiostat_reading import ChannelState, Snapshot
from operando.guard.state import Step
from operando.model.limit_rules import Quantity


@dataclass(frozen=True)
class CellReading:
    """What is judged; a quantity that is absent was not asked for yet.

    Parameters
    ----------
    time_s
        The steady time of the run's clock: how long something lasts is measured by it.
    arrived_s
        When the newest of it arrived, by the host's performance counter: what reaction times count from.
    values
        In the units of ``operando.model.limit_rules.UNITS``; ``None`` where the instrument gave none, NaN where it
        said NaN.
    silent_s, gone_s
        For how long an instrument is known to give nothing new, or not to be connected; 0 while all is well.
    over_range
        Whether the load cell is loaded beyond its full scale.
    snapshot, step
        What the potentiostat said, and the step that it holds.
    """

    time_s: float
    arrived_s: float = 0.0
    values: Mapping[Quantity, float | None] = field(default_factory=dict)
    silent_s: Mapping[Quantity, float] = field(default_factory=dict)
    gone_s: Mapping[Quantity, float] = field(default_factory=dict)
    over_range: bool = False
    snapshot: Snapshot | None = None
    step: Step | None = None

    @property
    def running(self) -> bool:
        """Whether the potentiostat said that a technique runs (or is paused: the cell may be connected)."""
        return self.snapshot is not None and self.snapshot.state is not ChannelState.STOP

    @property
    def operation(self) -> tuple[float, ...] | None:
        """What the potentiostat does; where this changes, voltage, current and charge may jump."""
        if self.snapshot is None:
            return None
        started_s = -1.0 if self.step is None else self.step.started_elapsed_s
        return float(self.snapshot.state), float(self.snapshot.technique_index), started_s
