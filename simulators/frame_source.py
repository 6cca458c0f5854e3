"""What the simulated camera needs of whatever stands in for the detector: a rendered cell or a recorded scan."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class FrameSource(Protocol):
    """Makes the counts of one frame after the other, in a thread of its own; two frames are never made at once."""

    @property
    def frame_shape(self) -> tuple[int, int]:
        """Rows and columns of every frame."""

    def frame_angle_deg(self, angle_deg: float) -> float:
        """Return the angle that is written beside the frame made for an encoder's angle: a recording knows its own."""

    def frame(
        self,
        mid_exposure_s: float,
        exposure_s: float,
        angle_deg: float,
        sample_x_mm: float,
        beam: float,
        frame_number: int,
    ) -> NDArray[np.uint16]:
        """Return the counts of one frame, shape ``frame_shape``.

        Parameters
        ----------
        mid_exposure_s, exposure_s
            Middle of the exposure, in s since the Unix epoch, and its length in s.
        angle_deg
            Encoder's angle at mid-exposure.
        sample_x_mm
            Position across the beam; 0 has the rotation axis at its place, far out leaves the beam open.
        beam
            Mean intensity during the exposure, relative to the filled ring; 0 without beam.
        frame_number
            Counts all frames of the camera since it was switched on, from 1: the key of the noise.
        """
