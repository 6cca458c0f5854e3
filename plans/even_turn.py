"""Whether camera and stage went evenly together: every frame may be there and yet not be of every angle."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from devices.rotation_stage import AngleScan
from operando.model.frames import ANGLES, TIMES
from operando.model.hdf5_beside_writer import open_beside_writer

LATE_FRAMES, LATE_S = 0.5, 0.05  # a frame is late by more than both; servers stamp frames with some jitter
LATE_ANGLES = 2.0  # steps of the stage between two frames
SHORT_ANGLES, SHORT_SHARE = 2.0, 0.01  # a turn is short by more than both: steps, and of its range


def unevenness(path: Path, planned: AngleScan) -> str:
    """Return a phrase if the projections in a closed file do not cover the angles as planned, empty if they do.

    A file that cannot be read here, or has no times or angles, tells nothing.
    """
    try:
        with open_beside_writer(path) as file:
            times_s, angles_deg = file[TIMES][...], file[ANGLES][...]
    except (OSError, KeyError):
        return ""
    if len(times_s) < 3 or not (np.isfinite(times_s).all() and np.isfinite(angles_deg).all()):
        return ""
    return _camera_stood_still(times_s, angles_deg) or _stage_stood_still(angles_deg, planned)


def _camera_stood_still(times_s: NDArray[np.floating], angles_deg: NDArray[np.floating]) -> str:
    """Look for two frames between which far more time and angle passed than usual.

    Times alone may jitter, and angles alone be recorded ones, or those of a stage that is asked rarely.
    """
    order = np.argsort(times_s, kind="stable")
    passed_s, turned_deg = np.diff(times_s[order]), np.abs(np.diff(angles_deg[order]))
    period_s, step_deg = float(np.median(passed_s)), float(np.median(turned_deg))
    late = passed_s - period_s > max(LATE_FRAMES * period_s, LATE_S)
    found = np.flatnonzero(late & (turned_deg > LATE_ANGLES * step_deg))
    if not found.size:
        return ""
    worst = int(found[np.argmax(turned_deg[found])])
    return (
        f"the camera exposed nothing for {passed_s[worst]:.2g} s after its projection {worst + 1}, while the stage "
        f"turned by {turned_deg[worst]:.3g} deg"
    )


def _stage_stood_still(angles_deg: NDArray[np.floating], planned: AngleScan) -> str:
    range_deg = abs(planned.step_deg) * (planned.num_frames - 1)
    short_deg = range_deg - float(np.ptp(angles_deg))
    if short_deg <= max(SHORT_ANGLES * abs(planned.step_deg), SHORT_SHARE * range_deg):
        return ""
    return f"the projections cover {range_deg - short_deg:.4g} deg instead of {range_deg:.4g} deg: the stage was late"
