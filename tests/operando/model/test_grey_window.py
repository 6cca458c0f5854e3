import numpy as np
import pytest

from operando.model.grey_window import GreyWindow, GreyWindowError, grey_window

RNG = np.random.default_rng(4)


def cell(metal_fraction: float) -> np.ndarray:
    """Return voxels of a CuS cathode at 35 keV with the noise of a quick scan, 1/cm: pores, matrix, CuS, Cu."""
    kinds = RNG.choice(4, 50_000, p=[0.04, 0.9 - metal_fraction, 0.06, metal_fraction])
    return (np.array([0.0, 5.0, 24.6, 63.4])[kinds] + RNG.normal(0, 1.5, kinds.shape)).astype(np.float32)


def test_pore_matrix_particle_and_metal_have_greys_that_an_eye_tells_apart() -> None:
    window = grey_window(cell(0.01))
    shares = window.share(np.array([0.0, 5.0, 24.6, 63.4], np.float32))
    assert (np.diff(shares) > 0.1).all()  # 25 of 255 grey levels
    assert shares[1] < 0.5 < shares[3]


def test_the_window_holds_zero_and_is_round() -> None:
    window = grey_window(cell(0.01))
    assert window.black_per_cm < 0 < window.white_per_cm
    assert 0.0 in window.ticks_per_cm()
    assert window.white_per_cm in (60.0, 80.0)
    assert grey_window(np.full(9, 7.2, np.float32)) == GreyWindow(0.0, 8.0)
    assert grey_window(np.full(9, -7.2, np.float32)).white_per_cm == 0.0


def test_a_few_hot_voxels_and_holes_do_not_change_the_window() -> None:
    values = cell(0.01)
    spoiled = values.copy()
    spoiled[:40], spoiled[40:90] = 1e6, np.nan
    assert grey_window(spoiled) == grey_window(values)


def test_tomograms_of_one_cell_share_a_window() -> None:
    assert len({grey_window(cell(fraction)) for fraction in (0.008, 0.012, 0.016)}) == 1


@pytest.mark.parametrize("values", [np.zeros(5, np.float32), np.full(5, np.nan, np.float32), np.zeros(0, np.float32)])
def test_a_slice_without_contrast_still_has_a_window(values: np.ndarray) -> None:
    assert grey_window(values) == GreyWindow(0.0, 1.0)


def test_white_below_black_is_refused() -> None:
    with pytest.raises(GreyWindowError, match="above black"):
        GreyWindow(5.0, 5.0)


@pytest.mark.parametrize(("black", "white"), [(-4.0, 60.0), (0.0, 0.03), (-800.0, 15_000.0)])
def test_ticks_are_few_and_round(black: float, white: float) -> None:
    ticks = GreyWindow(black, white).ticks_per_cm()
    assert 3 <= len(ticks) <= 7
    assert 0.0 in ticks
