"""The cell's record as Battery Data Format: one table with the labels and units that the format fixes.

Labels: Battery Data Alliance, https://github.com/battery-data-alliance/battery-data-format.
"""

from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from operando.model.clock_track import ClockTrack
from operando.session.report.cell_traces import CellTraces, Samples
from operando.session.report.run_story import RunStory

COLUMNS = (
    *("Test Time / s", "Voltage / V", "Current / A", "Unix Time / s", "Cycle Count / 1", "Step Count / 1"),
    *("Ambient Temperature / degC", "Net Capacity / Ah", "Applied Pressure / Pa"),
)
ROW = "%.3f,%.6f,%.6e,%.3f,%.0f,%.0f,%.3f,%.9f,%.0f\n"
SIGN = "Charging current and net capacity are positive, discharging negative."
PA_PER_MPA, AH_PER_MAH = 1e6, 1e-3
ROWS_AT_ONCE = 20_000


def write_battery_data(path: Path, traces: CellTraces, story: RunStory) -> int:
    """Write every good sample of the potentiostat; return how many rows there are.

    Times are those at which the potentiostat made its values, on the run's clock.

    Temperature and pressure are those of the sample nearest in time; where there is none within one declared period,
    the place is empty. Steps and cycles count from 1 in the order in which they began, 0 before the first.
    """
    potentiostat = traces.samples.get("potentiostat")
    with path.open("w", encoding="utf-8", newline="") as file:
        if potentiostat is None:
            file.write(",".join(COLUMNS) + "\n")
            return 0
        return _write(file, potentiostat, traces, story)


def _write(file: TextIO, potentiostat: Samples, traces: CellTraces, story: RunStory) -> int:
    voltage_v, current_a = potentiostat.values["voltage_v"], potentiostat.values["current_a"]
    good = potentiostat.good & np.isfinite(voltage_v) & np.isfinite(current_a)
    made_s = ClockTrack(traces.clock_fits).made_s(potentiostat.values["elapsed_s"], potentiostat.time_s)
    time_s, period_s = made_s[good], potentiostat.period_s[good]
    begins_s = np.array([step.begin_s for step in story.steps])
    cycles = np.array([0, *_cycles([step.name for step in story.steps])])
    steps = np.searchsorted(begins_s, time_s, side="right")
    temperature_c = _nearest(traces.samples.get("temperature"), "temperature_c", time_s, period_s)
    pressure_mpa = _nearest(traces.samples.get("load_cell"), "stack_pressure_mpa", time_s, period_s)
    columns = (
        *(time_s - (time_s[0] if time_s.size else 0.0), voltage_v[good], current_a[good], time_s),
        *(cycles[steps], steps, temperature_c, potentiostat.values["charge_mah"][good] * AH_PER_MAH),
        pressure_mpa * PA_PER_MPA,
    )
    file.write(",".join(COLUMNS) + "\n")
    rows = np.stack(columns, axis=1)
    for first in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[first : first + ROWS_AT_ONCE]
        file.write(((ROW * len(part)) % tuple(part.ravel().tolist())).replace("nan", ""))
    return len(rows)


def _cycles(names: list[str]) -> list[int]:
    """Return the cycle of each step by its name, which carries it from the second on; it never falls."""
    highest, found = 1, []
    for name in names:
        _, _, number = name.rpartition("_cycle")
        highest = max(highest, int(number) if number.isdecimal() else 1)
        found.append(highest)
    return found


def _nearest(
    samples: Samples | None, column: str, time_s: NDArray[np.float64], period_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the good value nearest to each time, NaN where the nearest is more than a period away."""
    missing = np.full(time_s.size, np.nan)
    if samples is None:
        return missing
    good = samples.good & np.isfinite(samples.values[column])
    times, values = samples.time_s[good], samples.values[column][good]
    if not times.size:
        return missing
    after = np.clip(np.searchsorted(times, time_s), 0, times.size - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(times[before] - time_s) <= np.abs(times[after] - time_s), before, after)
    return np.where(np.abs(times[nearest] - time_s) <= np.maximum(period_s, 1.0), values[nearest], np.nan)
