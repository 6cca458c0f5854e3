"""What the monitor shows at one moment: plain values, read from the run directory and never changed afterwards."""

from dataclasses import dataclass
from enum import StrEnum
from math import nan

import numpy as np

from operando.model.number_text import LONGEST_S, duration_text, number_text
from operando.monitor.history.silence import longest_wait_s
from operando.monitor.history.trace import Trace
from operando.monitor.reading.frame_counts import FrameCount
from operando.monitor.reading.run_ledger import TomogramLedger
from operando.monitor.reading.run_processes import ProcessView
from operando.monitor.reading.situation import Situation


class Quantity(StrEnum):
    """A quantity of the cell's log."""

    VOLTAGE = "voltage"
    CURRENT = "current"
    CHARGE = "charge"
    PRESSURE = "stack pressure"
    FORCE = "force"
    TEMPERATURE = "temperature"


@dataclass(frozen=True)
class Display:
    """Where a quantity is logged and how it is written: shown = logged x factor, with unit and decimals."""

    table: str
    column: str
    factor: float
    unit: str
    decimals: int

    def text(self, value: float) -> str:
        """Write a logged value without its unit; a dash stands for a missing one."""
        return f"{value * self.factor:.{self.decimals}f}" if np.isfinite(value) else "–"


DISPLAYS = {
    Quantity.VOLTAGE: Display("potentiostat", "voltage_v", 1.0, "V", 4),
    Quantity.CURRENT: Display("potentiostat", "current_a", 1e6, "µA", 2),
    Quantity.CHARGE: Display("potentiostat", "charge_mah", 1.0, "mAh", 4),
    Quantity.PRESSURE: Display("load_cell", "stack_pressure_mpa", 1.0, "MPa", 2),
    Quantity.FORCE: Display("load_cell", "force_n", 1.0, "N", 1),
    Quantity.TEMPERATURE: Display("temperature", "temperature_c", 1.0, "°C", 1),
}
LOG_UNREADABLE = "cell.sqlite: cannot be read"  # how the problem begins
MAX_AGE_REHEARSAL_S = 60.0  # while frames are rendered a rehearsal's clock stands still, and with it the sampling
COLUMNS = {  # of the guard's log that are shown, by table
    table: tuple(display.column for display in DISPLAYS.values() if display.table == table)
    for table in dict.fromkeys(display.table for display in DISPLAYS.values())
}


@dataclass(frozen=True)
class Figure:
    """The newest sample of a quantity in its logged unit, when the host's clock said ``wall_s``.

    ``period_s`` is the sampling period that the guard declared, in the run's clock.
    """

    value: float = nan
    wall_s: float = nan
    quality: str = ""
    period_s: float = nan


@dataclass(frozen=True)
class TomogramView:
    """One attempt at a tomogram; ``exit_status`` is empty while it is taken."""

    name: str
    attempt: int
    start_s: float
    stop_s: float | None
    exit_status: str
    reason: str
    num_projections: int
    num_acquired: int
    frames: tuple[FrameCount, ...] = ()


@dataclass(frozen=True)
class MeasurementView:
    """One measured value with its unit."""

    tomogram: str
    name: str
    value: float
    unit: str
    uncertainty: float
    flags: tuple[str, ...]

    @property
    def text(self) -> str:
        """The value with its uncertainty, without the unit."""
        return number_text(self.value, self.uncertainty)


@dataclass(frozen=True)
class EventView:
    """An entry of the guard's log."""

    time_s: float
    kind: str
    text: str

    @property
    def is_alarm(self) -> bool:
        """Whether a person should look."""
        return self.kind in ("limit", "limit_missed", "late", "log_late", "trip", "unsafe")


@dataclass(frozen=True)
class RunView:
    """The run as its directory tells it now.

    ``rehearsal`` is None while nothing in the directory says it; ``recorded`` is whether the frames come from a
    recorded scan, so that the cell's values are not those of the sample in the pictures. ``traces`` are as long
    as there was time to read; while they are not complete their older part is preliminary. Until ``lines_are_read``
    there is more in documents, journal or results than is told here.
    """

    name: str
    rehearsal: bool | None
    recorded: bool
    ended: str
    start_s: float
    now_s: float
    state: str
    trip: str
    step: str
    figures: dict[Quantity, Figure]
    traces: dict[Quantity, Trace]
    history_is_complete: bool
    lines_are_read: bool
    tomograms: tuple[TomogramView, ...]
    measurements: tuple[MeasurementView, ...]
    events: tuple[EventView, ...]
    processes: tuple[ProcessView, ...]
    ledger: tuple[TomogramLedger, ...]
    problems: tuple[str, ...]
    situation: Situation

    def shows_the_same_history(self, other: "RunView | None") -> bool:
        """Whether nothing was read between two views."""
        return other is not None and all(
            trace.version == other.traces[quantity].version for quantity, trace in self.traces.items()
        )

    @property
    def log_is_read(self) -> bool:
        """Whether all that the guard wrote is known, as far as it could be read."""
        return not any(problem.startswith(LOG_UNREADABLE) for problem in self.problems)

    @property
    def missing(self) -> list[ProcessView]:
        """The processes that should work and do not; of a run that has ended none should."""
        return [process for process in self.processes if process.is_missing and not self.ended]

    def restarted(self, wall_s: float) -> list[ProcessView]:
        """Return the processes that were restarted lately; ``wall_s`` is the host's present time."""
        return [process for process in self.processes if process.was_restarted(wall_s) and not self.ended]

    @property
    def running_tomogram(self) -> TomogramView | None:
        """The tomogram that is being taken."""
        return next((entry for entry in reversed(self.tomograms) if entry.stop_s is None), None)

    @property
    def kind_word(self) -> str:
        """What a title must say: ``REHEARSAL``, ``REHEARSAL (REPLAY)`` or ``BEAMLINE``; empty while nobody knows."""
        word = {True: "REHEARSAL", False: "BEAMLINE", None: ""}[self.rehearsal]
        return f"{word} (REPLAY)" if self.recorded else word

    @property
    def time_text(self) -> str:
        """How long the run has been going in its own clock, which in a rehearsal is not the one on the wall."""
        if not np.isfinite(self.now_s - self.start_s):
            return ""
        clock = " on the rehearsal's clock" if self.rehearsal else ""
        return f"{duration_text(max(self.now_s - self.start_s, 0.0))} since the start{clock}"

    @property
    def tomogram_text(self) -> str:
        """Which tomogram is being taken, else how many were taken and how the last one ended."""
        running = self.running_tomogram
        if running is not None:
            return f"tomogram {running.name}: projection {running.num_acquired} of {running.num_projections}"
        if not self.tomograms:
            return "no tomogram yet"
        last = self.tomograms[-1]
        reason = f" ({last.reason})" if last.reason else ""
        plural = "s" if len(self.tomograms) > 1 else ""
        return f"{len(self.tomograms)} tomogram{plural}; last {last.name}: {last.exit_status}{reason}"

    def is_stale(self, figure: Figure, wall_s: float) -> bool:
        """Whether a sample is older than it may be: three periods, in a rehearsal (whose time may stand still) 60 s."""
        if not np.isfinite(figure.wall_s):
            return bool(np.isfinite(figure.value))
        longest_s = MAX_AGE_REHEARSAL_S if self.rehearsal else longest_wait_s(figure.period_s)
        # Also where a clock was set back nobody knows how old a sample is.
        return not abs(wall_s - figure.wall_s) <= longest_s


def age_text(age_s: float) -> str:
    """Write how old something is."""
    if not np.isfinite(age_s):
        return "no sample yet"
    if not abs(age_s) < LONGEST_S:
        return "at an impossible time"
    if abs(age_s) < 1:
        return "now"
    side = "ago" if age_s > 0 else "ahead of this clock"
    for limit_s, length_s, unit in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h"), (np.inf, 86_400, "d")):
        if abs(age_s) < limit_s:
            return f"{abs(age_s) / length_s:.0f} {unit} {side}"
    raise AssertionError("unreachable: every age is shorter than infinity")
