"""What is told of the cell during a tomogram, from a log of the guard made here."""

from pathlib import Path

import pytest

from live_analysis.cell_measurements import cell_measurements
from live_analysis.run_follower import TomogramRun
from operando.model.cell_log import CellLogWriter
from operando.model.run_directory import RunDirectory

ROW_MAH = 1e-3  # charge of one row


def held(directory: Path, *, num_rows_before: int) -> TomogramRun:
    """Log ten rows under current, then a hold, of which the first ``num_rows_before`` rows precede the projections."""
    log = CellLogWriter(RunDirectory(directory).cell_log)
    num_rows = 10 + num_rows_before + 5
    for row in range(1, num_rows + 1):
        values = (float(row), 1.7, -1e-5, -ROW_MAH * row, None, 1.0, 0.0 if row <= 10 else 1.0)
        log.sample("potentiostat", time_s=float(row), wall_s=0.0, period_s=1.0, quality="OK", values=values)
    log.close()
    readings = [{"data": {"cell_charge": 0.0, "cell_potentiostat_row": row}} for row in (num_rows - 5, num_rows)]
    return TomogramRun({"uid": "1", "step": "discharge"}, cell_readings=readings)


@pytest.mark.parametrize("num_rows_before", [3, 595, 5000])
def test_the_charge_of_a_hold_is_counted_from_its_beginning_however_late_the_tomogram_came(
    tmp_path: Path, num_rows_before: int
) -> None:
    tomogram = held(tmp_path, num_rows_before=num_rows_before)
    found = {entry.name: entry for entry in cell_measurements(RunDirectory(tmp_path), tomogram, cell=None)}
    assert found["hold_charge"].value == pytest.approx(-ROW_MAH * (num_rows_before + 5))
