"""The guard's log as columns for plots and tables: samples, their quality, gaps between them, events."""

import contextlib
import sqlite3
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from operando.model.cell_log import CellLogReader
from operando.model.clock_fit import ClockFit
from operando.model.run_directory import RunDirectory

SHOWN = {
    "potentiostat": ("elapsed_s", "voltage_v", "current_a", "charge_mah"),
    "load_cell": ("stack_pressure_mpa",),
    "temperature": ("temperature_c",),
}
ROWS_AT_ONCE = 20_000
GOOD = "OK"
GAP_PERIODS, GAP_AT_LEAST_S = 3.0, 5.0  # longer than so many declared periods, and than this, is a gap in the log


@dataclass(frozen=True)
class Gap:
    """A time in which an instrument's samples are missing, s of the run's clock."""

    begin_s: float
    end_s: float


@dataclass(frozen=True)
class Samples:
    """Rows of one instrument, in order: times in s of the run's clock, values by column, NaN where nothing was read."""

    time_s: NDArray[np.float64]
    wall_s: NDArray[np.float64]
    period_s: NDArray[np.float64]
    good: NDArray[np.bool_]
    values: dict[str, NDArray[np.float64]]
    num_by_quality: dict[str, int]

    @property
    def gaps(self) -> list[Gap]:
        """Where neighbouring samples lie further apart than the period declared at that moment explains."""
        if self.time_s.size < 2:
            return []
        allowed_s = np.maximum(GAP_PERIODS * np.maximum(self.period_s[:-1], self.period_s[1:]), GAP_AT_LEAST_S)
        found = np.flatnonzero(np.diff(self.time_s) > allowed_s)
        return [Gap(float(self.time_s[index]), float(self.time_s[index + 1])) for index in found]


@dataclass(frozen=True)
class GuardEvent:
    """One line that the guard wrote down."""

    time_s: float
    kind: str
    text: str


@dataclass(frozen=True)
class CellTraces:
    """Everything in ``cell.sqlite``; ``problem`` says why there is less than should be."""

    samples: dict[str, Samples] = field(default_factory=dict)
    events: tuple[GuardEvent, ...] = ()
    problem: str = ""
    clock_fits: tuple[ClockFit, ...] = ()  # of the potentiostat

    def span_s(self) -> tuple[float, float] | None:
        """Return first and last time of any sample."""
        ends = [(s.time_s[0], s.time_s[-1]) for s in self.samples.values() if s.time_s.size]
        return (float(min(end[0] for end in ends)), float(max(end[1] for end in ends))) if ends else None


def read_traces(run: RunDirectory) -> CellTraces:
    """Read the guard's log, live or finished; what a damaged log still holds is returned with the problem."""
    if not run.cell_log.is_file():
        return CellTraces(problem="The run has no cell.sqlite: nothing was logged of the cell.")
    samples: dict[str, Samples] = {}
    events: tuple[GuardEvent, ...] = ()
    problem = ""
    clock_fits: tuple[ClockFit, ...] = ()
    try:
        database = sqlite3.connect(f"{run.cell_log.resolve().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        return CellTraces(problem=f"cell.sqlite cannot be opened ({error}).")
    try:
        for table, columns in SHOWN.items():
            samples[table] = _samples(database, table, columns)
        rows = database.execute("SELECT time_s, kind, text FROM events ORDER BY id")
        events = tuple(GuardEvent(float(time_s), str(kind), str(text)) for time_s, kind, text in rows)
        with contextlib.closing(CellLogReader(run.cell_log)) as log:
            clock_fits = tuple(log.clock_fits("potentiostat"))
    except (sqlite3.Error, TypeError, ValueError) as error:
        problem = f"cell.sqlite can be read only in part ({error})."
    finally:
        database.close()
    return CellTraces(samples, events, problem, clock_fits)


def _samples(database: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> Samples:
    selected = ", ".join(("quality", "time_s", "wall_s", "period_s", *columns))
    cursor = database.execute(f"SELECT {selected} FROM {table} ORDER BY id")
    parts: list[NDArray[np.float64]] = []
    good: list[bool] = []
    num_by_quality: Counter[str] = Counter()
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        qualities = [str(row[0]) for row in rows]
        num_by_quality.update(qualities)
        good += [quality == GOOD for quality in qualities]
        parts.append(np.array([row[1:] for row in rows], np.float64))  # None, what was not measured, becomes NaN
    numbers = np.concatenate(parts) if parts else np.empty((0, 3 + len(columns)))
    values = {name: numbers[:, 3 + index] for index, name in enumerate(columns)}
    return Samples(numbers[:, 0], numbers[:, 1], numbers[:, 2], np.array(good, np.bool_), values, dict(num_by_quality))
