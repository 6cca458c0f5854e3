import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.model.cell_log import CellLogReader, CellLogWriter
from operando.model.clock_fit import ClockFit
from operando.model.clock_track import ClockTrack, logged_made_s

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


MOMENT_S = st.floats(0.0, 100.0).map(lambda time_s: round(time_s, 1))
FITS = st.lists(
    st.builds(
        ClockFit,
        begin_s=st.sampled_from([10.0, 40.0, 70.0]),
        instrument_s=MOMENT_S,
        host_s=MOMENT_S,
        drift=st.floats(-5e-4, 5e-4),
        offset_uncertainty_s=st.just(1e-3),
        drift_uncertainty=st.just(1e-6),
        delay_s=st.just(2e-3),
        num_points=st.just(50),
    ),
    max_size=20,
)
VALUES = st.lists(st.tuples(st.one_of(MOMENT_S, st.just(np.nan)), MOMENT_S), min_size=1, max_size=9)


@given(fits=FITS, values=VALUES)
def test_the_fits_that_are_read_for_some_values_place_them_as_all_fits_do(
    tmp_path_factory: pytest.TempPathFactory, fits: list[ClockFit], values: list[tuple[float, float]]
) -> None:
    path = tmp_path_factory.mktemp("log") / "cell.sqlite"
    writer = CellLogWriter(path)
    for fit in fits:
        writer.clock_fit("potentiostat", fit, time_s=fit.host_s, wall_s=fit.host_s)
    writer.event("note", "an empty log has no tables", time_s=0.0, wall_s=0.0)
    writer.close()
    elapsed_s, read_s = zip(*values, strict=True)
    with contextlib.closing(CellLogReader(path)) as log:
        found = logged_made_s(log, elapsed_s, read_s)
    assert found.tolist() == ClockTrack(fits).made_s(elapsed_s, read_s).tolist()


def test_of_a_long_run_only_the_fits_about_the_values_are_read(tmp_path: Path) -> None:
    writer = CellLogWriter(tmp_path / "cell.sqlite")
    for number in range(1000):
        fit = ClockFit(0.0, 60.0 * number, 60.0 * number, 0.0, 1e-3, 1e-6, 2e-3, 50)
        writer.clock_fit("potentiostat", fit, time_s=fit.host_s, wall_s=fit.host_s)
    writer.close()
    with contextlib.closing(CellLogReader(tmp_path / "cell.sqlite")) as log:
        fits = log.clock_fits_about("potentiostat", read_s=(6001.0, 6130.0), instrument_s=(6000.5, 6130.0))
    assert [fit.instrument_s for fit in fits] == [6000.0, 6060.0, 6120.0, 6180.0]
