"""What phase retrieval and setting the axis upright leave of the noise of attenuation integrals.

Both smooth: the one along rows and columns alike, the other by the spline with which frames are moved by parts of
pixels. Noise of the counts is white; what is left of it is told for each frequency along the row.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.final_volume.plan import VolumePlan
from live_analysis.final_volume.stripe_noise import CYCLES, difference_response
from live_analysis.reconstruction.point_weights import coefficient_response
from live_analysis.reconstruction.ramp_filter import spline_response

NUM_PARTS = 32
TYPICAL_CYCLES = 0.2  # per column: where a voxel's noise comes from

Array = NDArray[np.float64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Smoothing:
    """What is left of noise.

    Attributes
    ----------
    amplitude
        Function of cycles per column: of the noise along rows, moves along columns on average included.
    of_rows, of_columns
        Variances of some rows, shape (row,), and of all columns, shape (column,), relative to that.
    of_differences
        Variances of a column's difference to its neighbours, see `left_of_shared`; shape (row, 1).
    """

    amplitude: Callable[[Array], Array]
    of_rows: Floats
    of_columns: Floats
    of_differences: Floats


def smoothing(plan: VolumePlan, rows: slice) -> Smoothing | None:
    """Return what the corrections of a plan leave in some detector rows; None if they do not smooth."""
    if plan.lean is None and plan.phase_length_um is None:
        return None
    length = 0.0 if plan.phase_length_um is None else plan.phase_length_um / plan.pixel_size_um
    tilt_rad = 0.0 if plan.lean is None else math.radians(plan.lean.tilt_deg)
    row, column = (0.0, 0.0) if plan.lean is None else (plan.lean.row, plan.lean.column)
    parts = (np.arange(NUM_PARTS) + 0.5) / NUM_PARTS if plan.lean is not None else np.zeros(1)

    def power(cycles: Array) -> Array:
        return np.asarray((_phase(length, cycles[:, None], CYCLES) ** 2).mean(axis=1))

    # Every row is moved twice by the same part of a column.
    moved = (_moved(CYCLES[:, None], parts) ** 2).mean(axis=1)
    seen: Array = coefficient_response(CYCLES) ** 2 * np.sinc(CYCLES) ** 8 * np.sinc(CYCLES / 2) ** 10 * power(CYCLES)
    by_row = math.tan(tilt_rad / 2) * (np.arange(rows.start, rows.stop, dtype=np.float64) - row)
    by_column = math.sin(tilt_rad) * (np.arange(plan.num_columns, dtype=np.float64) - column)
    across = _phase(length, np.full(1, TYPICAL_CYCLES), CYCLES) ** 2
    of_rows = np.asarray(seen @ _moved(CYCLES[:, None], by_row) ** 2 / (seen @ moved), np.float32)
    different = difference_response(CYCLES) ** 2
    return Smoothing(
        lambda cycles: np.sqrt(power(cycles) * np.interp(cycles, CYCLES, moved)),
        of_rows,
        np.asarray(across @ _moved(CYCLES[:, None], by_column) / across.sum(), np.float32),
        of_rows[:, None] * np.float32((different * power(CYCLES) * moved).sum() / different.sum()),
    )


def _phase(length_pixels: float, along: Array, across: Array) -> Array:
    """Return the response of `PhaseFilter`."""
    return np.asarray(1 / (1 + (2 * np.pi * length_pixels) ** 2 * (along**2 + across**2)))


def _moved(cycles: Array, moves: Array) -> Array:
    """Return what a move by parts of pixels with a cubic spline leaves of variances."""
    part = moves - np.floor(moves)
    rest = 1 - part
    taps = rest**3 / 6, 2 / 3 - part**2 * (1 - part / 2), 2 / 3 - rest**2 * (1 - rest / 2), part**3 / 6
    response = sum(tap * np.exp(2j * np.pi * cycles * place) for place, tap in zip((-1, 0, 1, 2), taps, strict=True))
    return np.asarray(np.abs(response / spline_response(cycles)) ** 2)
