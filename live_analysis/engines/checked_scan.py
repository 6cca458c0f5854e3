"""What every engine asks of a scan before it starts."""

import numpy as np

from live_analysis.engines.engine import Scan
from live_analysis.reconstruction.angle_weights import ProjectionError, angle_weights

FULL_TURN_RAD = 2 * np.pi
MANY_ANGLES = 20  # so many measured within six degrees are radians


def check(scan: Scan) -> None:
    """Refuse a scan that cannot be reconstructed.

    Raises
    ------
    ProjectionError
        If shapes, axis, pixel size or taper contradict each other, an integral or angle is NaN or infinite, the angles
        look like radians, or there are fewer than two different ones.
    """
    _check_geometry(scan)
    if not np.isfinite(scan.angles_deg).all():
        raise ProjectionError("an angle is NaN or infinite: leave that projection out.")
    sums = scan.integrals.sum(axis=(1, 2), dtype=np.float64)
    damaged = np.flatnonzero(~np.isfinite(sums))
    if damaged.size:
        raise ProjectionError(
            f"{damaged.size} of {len(sums)} projections (first: {damaged[0]}) hold NaN or infinite attenuation "
            "integrals, which the filter would spread over whole rows: repair the pixels first, or leave these "
            "projections out."
        )
    angle_weights(scan.angles_deg)
    span_deg = float(np.ptp(scan.angles_deg))
    if len(scan.angles_deg) > MANY_ANGLES and span_deg < FULL_TURN_RAD * 1.01:
        raise ProjectionError(
            f"{len(scan.angles_deg)} angles span {span_deg:.3f} degrees in all, as half a turn or a turn in radians "
            "would: give the measured angles in degrees."
        )


def check_threads(num_threads: int, *, most: int | None = None) -> None:
    """Refuse a number of threads that an engine cannot use.

    Raises
    ------
    ProjectionError
        If it is below 1, or above ``most``, the number with which numba was started.
    """
    if num_threads < 1 or (most is not None and num_threads > most):
        limit = "at least one is needed." if most is None else f"1 to {most} can be had (NUMBA_NUM_THREADS)."
        raise ProjectionError(f"{num_threads} threads were asked for; {limit}")


def _check_geometry(scan: Scan) -> None:
    shape, num_angles = scan.integrals.shape, np.shape(scan.angles_deg)
    if len(shape) != 3 or 0 in shape or num_angles != shape[:1]:
        raise ProjectionError(
            f"integrals of shape {shape} came with angles of shape {num_angles}; needed are (projection, row, column), "
            "none of them empty, and one angle for each projection."
        )
    if not 1 < scan.axis_column < shape[2] - 2:
        raise ProjectionError(
            f"the rotation axis lies at column {scan.axis_column:g} of {shape[2]}: nothing is seen from all sides. "
            "Give the axis within the view."
        )
    if not 0 < scan.pixel_size_um < np.inf or scan.taper_columns < 0:
        raise ProjectionError(
            f"a pixel size of {scan.pixel_size_um:g} um and a taper of {scan.taper_columns} columns were given; "
            "the size must be above 0 and the taper not below."
        )
