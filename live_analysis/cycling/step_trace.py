"""The samples of one step of the schedule, as the guard wrote them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operando.model.cell_log import CellLogReader
from operando.model.clock_track import logged_made_s

ROWS_AT_ONCE = 1000  # small objects, among which others may lie that stay: many would keep their memory
GOOD = "OK"


@dataclass(frozen=True)
class StepTrace:
    """Good samples between the beginning and the end of a step, in order of time (s, the run's clock).

    Times of the potentiostat are those at which it made its values, by the fits of its clock.

    ``charge_mah`` is the guard's integral of the current since the run began, signed. Potentiostat and load cell are
    sampled at times of their own.
    """

    time_s: NDArray[np.float64]
    voltage_v: NDArray[np.float64]
    current_a: NDArray[np.float64]
    charge_mah: NDArray[np.float64]
    pressure_time_s: NDArray[np.float64]
    pressure_mpa: NDArray[np.float64]

    @property
    def pressure_charge_mah(self) -> NDArray[np.float64]:
        """Charge at the times of the pressure samples."""
        return np.interp(self.pressure_time_s, self.time_s, self.charge_mah)


def read_step_trace(log: CellLogReader, begin_s: float, end_s: float) -> StepTrace:
    """Read the samples of the times from ``begin_s`` to ``end_s``, both included; what was not measured is left out."""
    read_s, elapsed_s, *electrical = _columns(
        log, "potentiostat", ("elapsed_s", "voltage_v", "current_a", "charge_mah"), begin_s, end_s
    )
    made_s = logged_made_s(log, elapsed_s, read_s)
    mechanical = _columns(log, "load_cell", ("stack_pressure_mpa",), begin_s, end_s)
    return StepTrace(made_s, *electrical, *mechanical)


def _columns(
    log: CellLogReader, table: str, names: tuple[str, ...], begin_s: float, end_s: float
) -> list[NDArray[np.float64]]:
    parts: list[NDArray[np.float64]] = [np.empty((0, 1 + len(names)))]
    after_id = 0
    while True:
        rows = log.rows(table, after_id=after_id, since_s=begin_s, max_num=ROWS_AT_ONCE)
        parts.append(_numbers([row for row in rows if row["time_s"] <= end_s and row["quality"] == GOOD], names))
        if len(rows) < ROWS_AT_ONCE or rows[-1]["time_s"] > end_s:
            break
        after_id = rows[-1]["id"]
    values = np.concatenate(parts)
    values = values[np.isfinite(values).all(axis=1)]
    return list(np.ascontiguousarray(values.T))


def _numbers(rows: list[dict[str, Any]], names: tuple[str, ...]) -> NDArray[np.float64]:
    columns = ("time_s", *names)
    numbers = [[np.nan if row[name] is None else float(row[name]) for name in columns] for row in rows]
    return np.array(numbers, np.float64).reshape(len(rows), len(columns))
