"""Noise of a voxel, told by neighbouring detector rows, which share no photons."""

import numpy as np

from live_analysis.states.placed_volume import PlacedVolume


def row_noise_per_cm(volume: PlacedVolume) -> float:
    """Return the standard deviation of a voxel in 1/cm from the upright plane in the middle; 0 for a single row."""
    middle = volume.values_per_cm[:, volume.shape[1] // 2]
    change = np.diff(middle, axis=0)
    change = change[np.isfinite(change)]
    return float(1.4826 * np.median(np.abs(change)) / np.sqrt(2)) if change.size else 0.0
