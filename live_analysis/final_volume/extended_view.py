"""A full turn about an axis off the middle, joined to a view twice as wide as its wider side.

Every point between the two reaches of the detector is seen in half of the turn only; there each projection counts
double, and in the overlap of opposite projections the weight goes over smoothly. Weights of a projection and its
opposite add up to two everywhere, whatever the angles in between.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.angle_weights import SAME_DEG, angle_weights, shared

LEAST_GAIN = 1.1  # of the width: less is not worth twice the voxels
LARGEST_GAP_DEG = 10.0  # in a full turn


def is_half_acquisition(angles_deg: NDArray[np.float64], axis_column: float, num_columns: int) -> bool:
    """Whether the angles are a full turn and the axis lies far enough off the middle."""
    turned = np.sort(np.mod(angles_deg, 360.0))
    gaps = np.diff(turned, append=turned[0] + 360.0)
    return bool(gaps.max() < LARGEST_GAP_DEG) and extended_columns(axis_column, num_columns) > LEAST_GAIN * num_columns


def extended_columns(axis_column: float, num_columns: int) -> int:
    """Return the columns of the joined view, with the axis in its middle."""
    reach = max(axis_column, num_columns - 1 - axis_column)
    return 2 * math.ceil(reach) + 1


@dataclass(frozen=True)
class ExtendedView:
    """How projections come into a wider view: column ``first`` of ``width`` is their first.

    They are multiplied with ``column_weights``, shape (column,), and ``scale``, shape (frame,).
    """

    first: int
    width: int
    column_weights: NDArray[np.float64]
    scale: NDArray[np.float64]


def extended_view(angles_deg: NDArray[np.float64], axis_column: float, num_columns: int) -> ExtendedView:
    """Lay out the wider view of projections of a full turn."""
    width = extended_columns(axis_column, num_columns)
    near = min(axis_column, num_columns - 1 - axis_column)
    from_axis = np.arange(num_columns) - axis_column
    towards = from_axis if axis_column < (num_columns - 1) / 2 else -from_axis
    weights = 2 * np.sin(np.pi / 4 * (1 + np.clip(towards / near, -1, 1))) ** 2
    first = (width - 1) // 2 - math.floor(axis_column)
    return ExtendedView(first, width, weights, _turn_weights(angles_deg) / angle_weights(angles_deg).weights_rad)


def extend(
    integrals: NDArray[np.float32], angles_deg: NDArray[np.float64], axis_column: float
) -> tuple[NDArray[np.float32], float]:
    """Weigh projections of a full turn and place them in a wider view.

    Parameters
    ----------
    integrals
        Attenuation integrals, shape (frame, row, column).

    Returns
    -------
    integrals, axis_column
        Shape (frame, row, wider column), and where the axis is in it.
    """
    num_frames, num_rows, num_columns = integrals.shape
    view = extended_view(angles_deg, axis_column, num_columns)
    wide = np.zeros((num_frames, num_rows, view.width), np.float32)
    inside = wide[:, :, view.first : view.first + num_columns]
    np.multiply(integrals, view.column_weights.astype(np.float32), out=inside)
    wide *= view.scale.astype(np.float32)[:, None, None]
    return wide, axis_column + view.first


def _turn_weights(angles_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give every angle half its Voronoi width in the full turn; the sum is pi."""
    turned = np.mod(angles_deg, 360.0)
    order = np.argsort(turned, kind="stable")
    steps = np.diff(turned[order], append=turned[order[:1]] + 360.0)
    weights = np.empty(len(turned))
    weights[order] = np.radians(shared((steps + np.roll(steps, 1)) / 4, steps > SAME_DEG))
    return weights
