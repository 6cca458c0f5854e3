"""Where a run stands: what is allowed, which step goes on, what comes next, what came, and what went wrong."""

from dataclasses import dataclass
from math import isfinite, nan

from operando.model.limit_rules import LimitRule
from operando.model.number_text import duration_text
from operando.monitor.reading.alarms import AlarmView
from operando.monitor.reading.disk_room import DiskRoom
from operando.monitor.reading.frame_counts import FrameCount
from operando.monitor.reading.next_trigger import Trigger


@dataclass(frozen=True)
class StepView:
    """The step under way: ``number`` of ``num_steps`` with loops gone through, 0 if nobody knows the schedule.

    ``begun_s`` is on the run's clock; ``technique`` says what is done to the cell.
    """

    name: str
    cycle: int = 1
    number: int = 0
    num_steps: int = 0
    technique: str = ""
    begun_s: float = nan

    @property
    def place_text(self) -> str:
        """Which one of how many."""
        if not self.number:
            return ""
        return f"step {self.number} of {self.num_steps}" + (f", cycle {self.cycle}" if self.cycle > 1 else "")

    def time_text(self, now_s: float) -> str:
        """How long it has gone on."""
        return f"for {duration_text(now_s - self.begun_s)}" if now_s >= self.begun_s else ""


@dataclass(frozen=True)
class RingCurrent:
    """What an event of the documents said of the storage ring, and when on the run's clock; NaN if none did."""

    current_ma: float = nan
    time_s: float = nan
    tomogram: str = ""


@dataclass(frozen=True)
class Capacity:
    """Charge per gram of active mass since the step began, without its sign, in mAh/g; NaN if nobody knows."""

    present_mah_per_g: float = nan
    theoretical_mah_per_g: float = nan

    @property
    def share_text(self) -> str:
        """How much of the theoretical one it is."""
        share = self.present_mah_per_g / self.theoretical_mah_per_g
        return f"{100 * share:.0f} % of {self.theoretical_mah_per_g:g} mAh/g" if isfinite(share) else ""


@dataclass(frozen=True)
class Situation:
    """All of it at one moment.

    ``limits`` is None where the experiment file cannot be read. ``frames`` are those of the tomogram that is taken,
    else of the last one; ``triggers`` begin with the next. ``num_older_alarms`` are in the guard's log only.
    ``is_calibrated`` is False where counts of the load cell came and nobody could say what force they are.
    """

    limits: tuple[LimitRule, ...] | None = None
    step: StepView | None = None
    triggers: tuple[Trigger, ...] = ()
    frames: tuple[FrameCount, ...] = ()
    alarms: tuple[AlarmView, ...] = ()
    num_older_alarms: int = 0
    capacity: Capacity = Capacity()
    ring_current: RingCurrent = RingCurrent()
    is_calibrated: bool = True
    disk: DiskRoom | None = None

    @property
    def num_lost(self) -> int:
        """Frames lost of the present or last tomogram."""
        return sum(count.lost or 0 for count in self.frames)
