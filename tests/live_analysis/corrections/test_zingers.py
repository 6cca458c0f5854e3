import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.corrections.zingers import noise_of_beam, remove_zingers

PHOTONS = 1e4


def frames_with_particles(seed: int) -> NDArray[np.float32]:
    """Eight frames with photon noise of a smooth object and 15 dense spheres of 3 to 6 pixels radius."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((64, 160))
    integral = 1.2 * np.sqrt(np.maximum(1 - ((columns - 80) / 75) ** 2, 0))
    for row, column, radius in zip(*rng.uniform((0, 20, 3), (64, 140, 6), (15, 3)).T, strict=True):
        integral = integral + 0.1 * np.sqrt(np.maximum(radius**2 - (rows - row) ** 2 - (columns - column) ** 2, 0))
    return (rng.poisson(PHOTONS * np.exp(-integral), (8, 64, 160)) / PHOTONS).astype(np.float32)


def test_the_noise_of_open_beam_is_told_through_an_object() -> None:
    found = noise_of_beam(frames_with_particles(0))
    # 1 % by Poisson; edges of particles are in less than half of the bends and lift the median a little.
    np.testing.assert_allclose(found, PHOTONS**-0.5, rtol=0.2)


def test_zingers_in_noise_and_between_particles_are_found_and_nothing_else() -> None:
    clean = frames_with_particles(1)
    hit = clean.copy()
    rng = np.random.default_rng(2)
    frame, row, column = rng.integers(0, 8, 100), rng.integers(0, 64, 100), rng.integers(0, 160, 100)
    hit[frame, row, column] += rng.uniform(0.4, 3.0, 100).astype(np.float32)
    hit[0, 0, 0] = hit[1, 63, 159] = 3.0
    hit[2, 30, 80:83] = 2.0
    struck = hit != clean
    found = remove_zingers(hit)
    changed = found.values != hit
    assert found.num_pixels == np.count_nonzero(changed)
    assert np.count_nonzero(changed & ~struck) <= 2, "of 80,000 good pixels"
    assert np.count_nonzero(changed & struck) >= 0.96 * np.count_nonzero(struck), "some fell on edges, or side by side"
    # What stands there instead is the neighbours' median; within particles it may be off by an edge.
    assert np.median(np.abs(found.values - clean)[struck]) < 0.03
    assert remove_zingers(clean).num_pixels <= 2


def test_an_edge_and_a_slit_of_one_pixel_are_no_zingers() -> None:
    frame = np.full((1, 20, 20), 0.2, np.float32)
    frame[:, :, 10:] = 1.0
    frame[:, :, 4] = 0.9
    assert remove_zingers(frame[:, :, 6:]).num_pixels == 0
    assert remove_zingers(frame).num_pixels <= 4, "two at either end of the slit, where the view cuts it"


def test_nan_is_left_and_hides_no_zinger_beside_it() -> None:
    frames = np.full((1, 9, 9), 0.5, np.float32)
    frames[0, :, 3] = np.nan
    frames[0, 4, 4] = 2.0
    found = remove_zingers(frames)
    assert found.num_pixels == 1
    assert found.values[0, 4, 4] == pytest.approx(0.5)
    assert np.isnan(found.values[0, :, 3]).all()


def test_zingers_of_a_margin_are_removed_but_not_counted() -> None:
    frames = np.full((2, 9, 9), 0.5, np.float32)
    frames[0, 0, 4] = frames[1, 5, 4] = 2.0
    found = remove_zingers(frames, slice(2, 9))
    assert found.num_pixels == 1
    assert found.values.max() == pytest.approx(0.5)
