"""Brightness of the beam in every projection, from the air beside the object, where there is air.

A view that the object fills tells nothing of the beam: its projections keep the brightness of their flats. Whether
there is air is judged by the whole scan: at both sides of the view the same few columns must be as bright as the flat
to a tenth, without structure, and brighten and dim together.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EDGE = 0.03  # of the columns, at least, on either side
MIN_BLOCKS = 2  # of columns; one cannot show a slope
MAX_CHANGE = 0.1  # of the brightness; more, and either the object fills the view or the flats are not this beam's
# What lies in the air, or a wall's edge, bends the mean profile there by more than so much of the object's own height.
MAX_BEND = 0.01
MAX_DISAGREEMENT = 0.25  # of the spread of brightness, between the two sides
LEAST_DISAGREEMENT = 0.003  # brightness; noise and a slope of the beam within a scan


@dataclass(frozen=True)
class BeamIntensity:
    """Brightness of projections relative to their flats, shape (frame,); ``source`` says in words where it is from.

    Without air ``brightness`` is ``None`` and projections are left as they are.
    """

    brightness: NDArray[np.float32] | None
    source: str

    @property
    def drift(self) -> float:
        """Largest deviation from the flats, unitless; 0 where it could not be told."""
        return 0.0 if self.brightness is None else float(np.abs(self.brightness - 1).max())


def beam_intensity(transmission: NDArray[np.float32], *, object_of_view: float | None = None) -> BeamIntensity:
    """Tell the beam's brightness in every projection from air at both sides of the view.

    Parameters
    ----------
    transmission
        Overviews of all projections divided by their flats, shape (frame, row, column), unitless; rows the beam comes
        through. NaN is left out.
    object_of_view
        Declared outer diameter of what turns in the beam over the width of the view, None where unknown: from 1 on
        there is no air, whatever the projections look like.
    """
    if object_of_view is not None and object_of_view >= 1:
        return BeamIntensity(
            None, f"not followed: the declared object is {object_of_view:.1f} times as wide as the view, so no air"
        )
    transmission = transmission[:, :, np.isfinite(transmission).any(axis=(0, 1))]
    num_columns = transmission.shape[2]
    num = max(round(EDGE * num_columns), MIN_BLOCKS)
    if len(transmission) < 3 or num_columns < 4 * num:
        return BeamIntensity(None, "not followed: too few projections or columns to tell air")
    columns = np.nanmedian(transmission, axis=1).astype(np.float64)  # (frame, column)
    height = -np.log(np.clip(columns.mean(axis=0), 1e-3, None)).max()
    sides = columns[:, :num], columns[:, -num:]
    left, right = (side.mean(axis=1) for side in sides)
    both = (left + right) / 2
    profiles = [side.mean(axis=0) for side in sides]
    bend = max(float(np.ptp(profile)) for profile in profiles)
    gap = float(np.abs(left - right).max())
    if not np.abs(both - 1).max() < MAX_CHANGE:
        return BeamIntensity(None, "not followed: the sides of the view are not as bright as the flat, so no air")
    if bend > max(MAX_BEND * height, LEAST_DISAGREEMENT):
        return BeamIntensity(None, "not followed: the sides of the view show an object, so no air")
    if gap > max(MAX_DISAGREEMENT * float(np.ptp(both)), LEAST_DISAGREEMENT):
        return BeamIntensity(None, "not followed: the two sides of the view change differently, so no air")
    return BeamIntensity(both.astype(np.float32), f"air in {2 * num} of {num_columns} columns of blocks")
