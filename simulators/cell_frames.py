"""Frames of the simulated cell: its state at mid-exposure, rendered and detected."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulators.cell_state import CellState
from simulators.detector import Detector
from simulators.phantom import Phantom
from simulators.projector import Projector


class CellFrames:
    """A frame source (``simulators.frame_source.FrameSource``) that looks into the simulated cell.

    Parameters
    ----------
    state_at
        The cell's state at a time in s.
    phantom, projector, detector
        What is looked at, and with what.
    nominal_exposure_s
        The exposure for which the detector's photons per pixel are meant; others scale with their length.
    """

    def __init__(
        self,
        state_at: Callable[[float], CellState],
        phantom: Phantom,
        projector: Projector,
        detector: Detector,
        *,
        nominal_exposure_s: float,
    ) -> None:
        self._state_at = state_at
        self._phantom = phantom
        self._projector = projector
        self._detector = detector
        self._nominal_exposure_s = nominal_exposure_s

    @property
    def frame_shape(self) -> tuple[int, int]:
        """Rows and columns of every frame."""
        return self._detector.geometry.frame_shape

    def frame_angle_deg(self, angle_deg: float) -> float:
        """Return the encoder's angle itself."""
        return angle_deg

    def frame(
        self,
        mid_exposure_s: float,
        exposure_s: float,
        angle_deg: float,
        sample_x_mm: float,
        beam: float,
        frame_number: int,
    ) -> NDArray[np.uint16]:
        """Return the counts of one frame; see ``FrameSource``."""
        if not beam:
            return self._detector.counts(None, shutter_open=False, frame_number=frame_number)
        scene = self._phantom.scene(self._state_at(mid_exposure_s))
        return self._detector.counts(
            self._projector.line_integrals(scene, angle_deg, sample_x_mm),
            shutter_open=True,
            frame_number=frame_number,
            beam_intensity=beam * exposure_s / self._nominal_exposure_s,
        )
