import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.force_calibration import CalibrationError, force_calibration
from operando.model.beamline import Calibration

BENCH = Calibration(id="bench", date="2025-01-01", counts=(100, 20_100), force_n=(0, 2000))


def test_the_two_points_are_met() -> None:
    line = force_calibration(BENCH, 2000.0)
    assert line.force_n(100) == pytest.approx(0.0, abs=1e-9)
    assert line.force_n(20_100) == pytest.approx(2000.0, abs=1e-9)
    assert line.calibration_id == "bench"


def test_a_missing_calibration_is_refused() -> None:
    with pytest.raises(CalibrationError, match=r"load_cell\.calibration"):
        force_calibration(None, 2000.0)


@given(st.integers(-19_000, 20_000))
def test_a_tare_makes_its_counts_zero_and_keeps_differences(counts: int) -> None:
    line = force_calibration(BENCH, 2000.0)
    tared = line.tared(counts)
    assert tared.force_n(counts) == pytest.approx(0.0, abs=1e-9)
    assert tared.force_n(500) - tared.force_n(0) == pytest.approx(50.0, abs=1e-9)


@pytest.mark.parametrize(
    ("counts", "over"), [(20_100, False), (20_101, True), (-20_000, True), (32_767, True), (math.nan, False)]
)
def test_more_than_full_scale_is_over_range(counts: float, over: bool) -> None:
    assert force_calibration(BENCH, 2000.0).is_over_range(counts) is over


def test_over_range_is_judged_before_the_tare() -> None:
    assert force_calibration(BENCH, 2000.0).tared(15_000).is_over_range(20_500)


def test_no_number_gives_no_force_and_no_tare() -> None:
    line = force_calibration(BENCH, 2000.0)
    assert math.isnan(line.force_n(math.nan))
    with pytest.raises(CalibrationError, match="Unload"):
        line.tared(math.nan)
