"""What is told of the cell during a tomogram, from a log of the guard made here."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from live_analysis.cell_measurements import cell_measurements
from live_analysis.run_follower import TomogramRun
from operando.model.cell_log import CellLogWriter
from operando.model.clock_fit import ClockFit
from operando.model.frames import ANGLES, FRAME_IDS, IMAGES, TIMES, FrameKind
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


@pytest.mark.parametrize("behind_s", [0.0, 7.5, -631_152_000.0])
def test_charge_is_read_at_the_middle_of_the_projections_whatever_the_cameras_and_the_potentiostats_clocks_show(
    tmp_path: Path, behind_s: float
) -> None:
    tomogram = held(tmp_path, num_rows_before=20)  # rows at 1 s, 2 s ...; the last six are those of the projections
    run = RunDirectory(tmp_path)
    log = CellLogWriter(run.cell_log)
    log.clock_fit("potentiostat", ClockFit(0.0, 20.0, 19.4, 0.0, 1e-3, 1e-6, 1e-3, 20), time_s=35.0, wall_s=0.0)
    log.close()
    path = run.frames_file(1, FrameKind.PROJECTION)
    path.parent.mkdir()
    with h5py.File(path, "w") as file:
        file[IMAGES] = np.zeros((3, 2, 2), np.uint16)
        file[TIMES] = np.array([31.0, 32.0, 33.0]) - behind_s
        file[FRAME_IDS], file[ANGLES] = np.arange(3), np.arange(3.0)
    tomogram.outcome = {"outcome": "complete", "camera_clock_behind_s": behind_s}
    found = {entry.name: entry for entry in cell_measurements(run, tomogram, cell=None)}
    assert found["charge"].value == pytest.approx(-ROW_MAH * (32.0 + 0.6)), (
        "samples were made 0.6 s before they were read"
    )
