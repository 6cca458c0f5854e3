"""Half-turn pairs whose rotation axis leans: as the axis leans, so both are turned until they are mirror images."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, uniform_filter

from live_analysis.mirror_axis import mirror_axis, texture

MAX_TILT_DEG = 3.0
NUM_COLUMNS_SEARCHED = 500  # about; of larger views the pixels are averaged
STEP_COLUMNS = 3.0  # of lean from top to bottom; particles of a few columns still overlap half a step off

Pair = tuple[NDArray[np.float32], NDArray[np.float32]]


def turned(pair: Pair, tilt_deg: float) -> Pair:
    """Turn both frames, shape (row, column), about their middle: an axis that leans by ``tilt_deg`` stands upright."""
    angle = np.radians(-tilt_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = (np.array(pair[0].shape) - 1) / 2
    first, second = (
        np.asarray(affine_transform(frame, turn, centre - turn @ centre, order=1, mode="nearest"), np.float32)
        for frame in pair
    )
    return first, second


def tilt_of_best_agreement(pair: Pair, max_reach: float) -> float:
    """Return the coarse tilt in degrees, positive to larger columns at the top, at which a pair agrees best.

    Parameters
    ----------
    pair
        Attenuation integrals, shape (row, column).
    max_reach
        How far from the middle the axis may lie, in parts of the columns.
    """
    factor = max(1, round(pair[0].shape[1] / NUM_COLUMNS_SEARCHED))
    first, second = (uniform_filter(frame, factor)[factor // 2 :: factor, factor // 2 :: factor] for frame in pair)
    num_rows, num_columns = first.shape
    step_deg = float(np.degrees(STEP_COLUMNS / num_rows))
    num_steps = int(np.ceil(MAX_TILT_DEG / step_deg))
    tilts_deg = [step_deg * number for number in range(-num_steps, num_steps + 1)]

    def agreement(tilt_deg: float) -> float:
        frames = turned((first, second), tilt_deg)
        textures = texture(frames[0]), texture(frames[1])
        return mirror_axis(*textures, (num_columns - 1) / 2, max_reach * num_columns)[1]

    return max(tilts_deg, key=agreement)
