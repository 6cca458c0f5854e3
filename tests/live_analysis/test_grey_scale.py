import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_analysis.grey_scale import GreyAnchor, GreyScaleError, measure_anchor, two_point_scale


@given(st.floats(0.5, 2.0), st.floats(-1.0, 1.0))
def test_any_gain_and_offset_are_undone(gain: float, offset_per_cm: float) -> None:
    void = GreyAnchor("void", offset_per_cm, 0.0, 0.0, 0.0)
    separator = GreyAnchor("separator", 2.0 * gain + offset_per_cm, 0.0, 2.0, 0.0)
    values = np.array([0.0, 2.0, 63.4], np.float32)
    np.testing.assert_allclose(
        two_point_scale(separator, void).apply(gain * values + np.float32(offset_per_cm)), values, atol=1e-4
    )


def test_uncertainty_is_that_of_the_anchors_and_grows_beyond_them() -> None:
    scale = two_point_scale(GreyAnchor("void", 0.1, 0.02, 0.0, 0.0), GreyAnchor("separator", 2.1, 0.02, 2.0, 0.03))
    assert scale.uncertainty_per_cm(0.0) == pytest.approx(0.02)
    assert scale.uncertainty_per_cm(2.0) == pytest.approx(np.hypot(0.02, 0.03))
    assert scale.uncertainty_per_cm(63.4) > 1.0


def test_an_anchor_is_the_median_of_its_voxels_so_particles_do_no_harm() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(2.2, 1.3, (20, 50, 50)).astype(np.float32)
    values[:, :5, :5] = 24.6
    values[0] = np.nan
    anchor = measure_anchor(values, "separator", 2.0)
    assert anchor.measured_per_cm == pytest.approx(2.2, abs=0.05)
    assert 0 < anchor.measured_uncertainty_per_cm < 0.05


def test_two_references_that_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(GreyScaleError, match="5 uncertainties apart"):
        two_point_scale(GreyAnchor("void", 1.9, 0.2, 0.0, 0.0), GreyAnchor("separator", 2.1, 0.2, 2.0, 0.0))


def test_a_region_outside_the_view_is_refused() -> None:
    with pytest.raises(GreyScaleError, match="inside the view"):
        measure_anchor(np.full((2, 2), np.nan, np.float32), "void", 0.0)
