"""Where particles are in the matrix."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from live_analysis.particle_mask import grown, particle_mask

MATRIX_PER_CM = 2.0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), num_layers=st.integers(1, 6), chance=st.sampled_from([0.0, 0.002, 0.05, 1.0]))
def test_layers_of_face_neighbours_are_added_as_scipy_adds_them(seed: int, num_layers: int, chance: float) -> None:
    mask = np.random.default_rng(seed).random((13, 17, 11)) < chance
    assert np.array_equal(grown(mask, num_layers), ndimage.binary_dilation(mask, iterations=num_layers))


def test_all_that_hangs_together_with_a_bright_core_is_a_particle_and_a_streak_is_none() -> None:
    values = np.full((24, 24, 24), MATRIX_PER_CM, np.float32)
    values[4:8, 4:8, 4:8] += 3.0  # rim
    values[6, 6, 6] += 4.0  # core
    values[18:20, 18:20, :] += 3.0  # a streak has no core
    found = particle_mask(values, MATRIX_PER_CM, 9.0)  # margin of one voxel
    rim = np.zeros(values.shape, bool)
    rim[4:8, 4:8, 4:8] = True
    assert np.array_equal(found, ndimage.binary_dilation(rim))


def test_where_nothing_is_bright_there_is_no_particle() -> None:
    assert not particle_mask(np.full((5, 6, 7), MATRIX_PER_CM, np.float32), MATRIX_PER_CM, 3.5).any()
