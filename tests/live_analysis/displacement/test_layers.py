"""Noise and motion are told apart by what neighbours share."""

import numpy as np

from live_analysis.displacement.layers import settle

SHAPE = (40, 8, 8)
COUNT = int(np.prod(SHAPE))
Y, X = np.mgrid[0:8, 0:8] * 50.0 - 175.0
NODES = np.tile(np.stack([X.ravel(), Y.ravel(), np.zeros(64)], axis=1), (SHAPE[0], 1))
ALL = np.ones(COUNT, np.bool_)


def test_pure_noise_is_drawn_to_the_plane_and_its_strength_is_found_whatever_was_told() -> None:
    noise = np.random.default_rng(1).normal(0, 0.5, (COUNT, 3))
    settled = settle(NODES, 4 + noise, np.full((COUNT, 3), 0.2), ALL, SHAPE, 0.0)
    error = settled.displacement_um - 4
    assert error.std() < 0.2  # um, of 0.5: planes through 64 nodes leave 0.11, chance correlation the rest
    assert np.median([layer.noise_um for layer in settled.layers]) > 0.4
    assert (np.abs(error) < 2 * settled.uncertainty_um).mean() > 0.9
    means = np.array([layer.mean_um for layer in settled.layers]) - 4
    assert (np.abs(means) < 2 * np.array([layer.uncertainty_um for layer in settled.layers])).mean() > 0.9


def test_a_bulge_that_neighbours_share_is_kept() -> None:
    bulge = 3 * np.exp(-(NODES[:, 0] ** 2 + NODES[:, 1] ** 2) / (2 * 100.0**2))
    noise = np.random.default_rng(2).normal(0, 0.1, (COUNT, 3))
    settled = settle(NODES, bulge[:, None] + noise, np.full((COUNT, 3), 0.1), ALL, SHAPE, 0.0)
    error = settled.displacement_um - bulge[:, None]
    assert error.std() < 0.25 * bulge.std()  # its foot, less high than what neighbours differ by, is drawn to the plane
