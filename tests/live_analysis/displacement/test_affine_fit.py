"""Cuboids of a known field are found again, and what is told about the error is what is found."""

from functools import partial

import numpy as np
import pytest

from benchmarks.speckle import speckle_pair
from live_analysis.displacement.affine_fit import fit_affine
from live_analysis.displacement.affine_steps import CONVERGED, TOO_LITTLE
from live_analysis.displacement.cubic import cubic_value
from live_analysis.displacement.found_cuboids import starts_of
from live_analysis.reconstruction.compiled import compiled_serial

NUM_VOXELS, CUBOID = 96, 24
PAIR = speckle_pair(NUM_VOXELS, CUBOID, 2, 4)


def _starts(error_voxels: float) -> np.ndarray:
    generator = np.random.default_rng(0)
    shifts = np.zeros((2, 4, 4, 3))
    shifts[..., 0] = PAIR.rise.reshape(2, 4, 4)
    heights = PAIR.first[::16, 0].astype(float)
    return starts_of(shifts + generator.normal(0, error_voxels, shifts.shape), heights)


def test_a_strained_speckle_is_followed_to_a_hundredth_of_a_voxel_with_an_honest_uncertainty() -> None:
    fits = fit_affine(PAIR.reference, PAIR.moved, first=PAIR.first, size=CUBOID, starts=_starts(0.2))
    assert (fits.status == CONVERGED).all()
    assert fits.correlation.min() > 0.99
    error = fits.shifts - np.stack([PAIR.rise, 0 * PAIR.rise, 0 * PAIR.rise], axis=1)
    assert error.std() < 0.01  # voxels; noise of 2 % allows 0.005 at 24 voxels, the curved field adds as much
    # Across nothing but noise is left: the told uncertainty is that of what is found, within chance and its few blocks.
    assert 0.6 < np.sqrt((fits.uncertainty[:, 1:] ** 2).mean()) / error[:, 1:].std() < 1.8


def test_gain_and_offset_of_the_grey_levels_change_nothing() -> None:
    plain = fit_affine(PAIR.reference, PAIR.moved, first=PAIR.first[:4], size=CUBOID, starts=_starts(0.1)[:4])
    other = fit_affine(PAIR.reference, 3 + 0.5 * PAIR.moved, first=PAIR.first[:4], size=CUBOID,
                       starts=_starts(0.1)[:4])  # fmt: skip
    np.testing.assert_allclose(other.shifts, plain.shifts, atol=1e-3)  # voxels: half the tolerance of a step


def test_what_must_not_be_compared_does_not_move_a_cuboid() -> None:
    damaged = PAIR.moved.copy()
    used = np.ones(damaged.shape, np.bool_)
    first = PAIR.first[5]
    part = tuple(slice(begin + 4, begin + 14) for begin in first)
    damaged[part] += 20
    wide = tuple(slice(s.start - 3, s.stop + 3) for s in part)
    used[wide] = False
    fit = partial(fit_affine, PAIR.reference, damaged, first=PAIR.first[5:6], size=CUBOID, starts=_starts(0.1)[5:6])
    fits = fit(moved_used=used)
    assert fits.status[0] == CONVERGED
    assert abs(fits.shifts[0, 0] - PAIR.rise[5]) < 0.04  # voxels: a third of the cuboid is missing
    assert fits.used[0] == pytest.approx(1 - 16**3 / CUBOID**3, abs=0.12)  # most of the hole moved into the cuboid
    nothing = fit(moved_used=np.zeros_like(used))
    assert nothing.status[0] == TOO_LITTLE
    assert np.isnan(nothing.uncertainty).all()


@compiled_serial
def _looked_up(flat, strides, places, values):  # type: ignore[no-untyped-def]
    for index in range(len(places)):
        values[index] = cubic_value(flat, strides[0], strides[1], places[index, 0], places[index, 1], places[index, 2])


def test_interpolation_is_exact_for_parabolas_along_any_axis() -> None:
    z, y, x = np.meshgrid(*(np.arange(8.0),) * 3, indexing="ij")

    def parabola(z: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        return np.asarray(1 + z * z - 2 * y * y + 0.5 * x * x + z - y * x)

    places = np.random.default_rng(1).uniform(1, 6, (50, 3))
    values = np.zeros(50)
    _looked_up(parabola(z, y, x).astype(np.float32).ravel(), np.array([64, 8]), places, values)
    np.testing.assert_allclose(values, parabola(*places.T), atol=1e-4)  # rounding of float32 at 50
