import contextlib
from pathlib import Path

import numpy as np
import pytest

from operando.model.cell_log import CellLogReader, CellLogWriter
from operando.model.clock_fit import ClockFit
from operando.model.clock_track import ClockTrack

FIRST = ClockFit(1000.0, 100.0, 1100.0, 0.0, 1e-3, 1e-6, 2e-3, 50)
LATER = ClockFit(1000.0, 300.0, 1300.05, 0.0, 1e-3, 1e-6, 2e-3, 90)
RESTARTED = ClockFit(1500.0, 50.0, 1550.0, 0.0, 1e-3, 1e-6, 2e-3, 50)


def test_a_sample_is_placed_by_the_nearest_fit_between_the_jumps_of_its_clock() -> None:
    track = ClockTrack([LATER, RESTARTED, FIRST])
    elapsed_s = [90.0, 310.0, 40.0, np.nan, 5.0]
    read_s = [1090.7, 1310.9, 1540.9, 1550.0, 900.0]
    assert track.made_s(elapsed_s, read_s) == pytest.approx([1090.0, 1310.05, 1540.0, 1550.0, 900.0])


def test_what_was_read_before_the_first_fit_is_placed_by_it_unless_the_clock_was_another() -> None:
    track = ClockTrack([FIRST, RESTARTED])
    elapsed_s = [-1.0, -1.0, 2.0, 10_000.0, np.nan]  # the fit says that they were made 1000 s earlier
    read_s = [999.4, 999.0, 999.9, 999.9, 999.9]
    assert track.made_s(elapsed_s, read_s) == pytest.approx([999.0, 999.0, 999.9, 999.9, 999.9])


def test_drift_is_taken_out() -> None:
    fast = ClockFit(1000.0, 0.0, 1000.0, 50e-6, 1e-3, 1e-6, 2e-3, 50)
    assert ClockTrack([fast]).made_s([100_005.0], [101_000.5])[0] == pytest.approx(101_000.0, abs=1e-3)


def test_without_fits_the_time_of_reading_stands() -> None:
    assert ClockTrack([]).made_s([1.0, 2.0], [11.0, 12.0]) == pytest.approx([11.0, 12.0])


def test_fits_are_kept_in_the_log_and_an_older_log_has_none(tmp_path: Path) -> None:
    writer = CellLogWriter(tmp_path / "cell.sqlite")
    writer.clock_fit("potentiostat", FIRST, time_s=1100.0, wall_s=1100.0)
    writer.clock_fit("camera", LATER, time_s=1100.0, wall_s=1100.0)
    writer.close()
    with contextlib.closing(CellLogReader(tmp_path / "cell.sqlite")) as log:
        assert log.clock_fits("potentiostat") == [FIRST]
    (tmp_path / "empty.sqlite").touch()
    with contextlib.closing(CellLogReader(tmp_path / "empty.sqlite")) as log:
        assert log.clock_fits("potentiostat") == []
