"""Whether a camera has stood still while the stage turned on: every frame is there, but not of every angle."""

from pathlib import Path

import numpy as np

from operando.model.frames import ANGLES, TIMES
from operando.model.hdf5_beside_writer import open_beside_writer

LATE_FRAMES, LATE_S = 0.5, 0.05  # a frame is late by more than both; servers stamp frames with some jitter
LATE_ANGLES = 2.0  # steps of the stage between two frames


def stall_of(path: Path) -> str:
    """Return a phrase if between two frames of a closed file both far more time and angle passed than usual.

    Times alone may jitter, and angles alone be recorded ones, or those of a stage that is asked rarely. A file that
    cannot be read here, or has no times or angles, tells nothing.
    """
    try:
        with open_beside_writer(path) as file:
            times_s, angles_deg = file[TIMES][...], file[ANGLES][...]
    except (OSError, KeyError):
        return ""
    order = np.argsort(times_s, kind="stable")
    passed_s, turned_deg = np.diff(times_s[order]), np.abs(np.diff(angles_deg[order]))
    if len(passed_s) < 2 or not (np.isfinite(passed_s).all() and np.isfinite(turned_deg).all()):
        return ""
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
