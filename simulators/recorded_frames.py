"""The simulated camera's frames during a replay: recorded counts instead of rendered ones."""

import numpy as np
from numpy.typing import NDArray

from simulators.recorded_counts import count_scale
from simulators.recorded_data import RecordedScan


class RecordedFrames:
    """Serves the recorded frame that belongs to the state of shutter, sample and rotation stage.

    A stage that turns evenly from 0 meets every projection once, in the order in which they were recorded; written
    beside each is its recorded angle, so that uneven, interlaced, backward and repeated turns stay what they were.

    Parameters
    ----------
    scan
        What was recorded. Every frame is read once here, to find damage before the replay begins.
    sample_out_mm
        Position of the sample stage with the sample out of the beam; from half of it on, flats are served.
    step_deg
        By how much the stage turns from one projection to the next.

    Raises
    ------
    RecordedScanError
        If a frame is damaged, blank or not finite.
    """

    def __init__(self, scan: RecordedScan, *, sample_out_mm: float, step_deg: float) -> None:
        self._scan = scan
        self._scale = count_scale(scan)
        self._out_mm = abs(sample_out_mm) / 2
        self._step_deg = step_deg

    @property
    def frame_shape(self) -> tuple[int, int]:
        """Rows and columns of a frame."""
        return self._scan.frame_shape

    @property
    def note(self) -> str:
        """How recorded values became counts, as a sentence."""
        return self._scale.note

    def frame(
        self,
        mid_exposure_s: float,
        exposure_s: float,
        angle_deg: float,
        sample_x_mm: float,
        beam: float,
        frame_number: int,
    ) -> NDArray[np.uint16]:
        """Return the counts of one frame, shape ``frame_shape``; time and exposure are those of the recording.

        Without beam there are the recorded darks in turn, a sample out of the beam the flats, otherwise the projection
        that the stage has reached.
        """
        if not beam:
            stack, index = self._scan.darks, frame_number % self._scan.darks.shape[0]
        elif abs(sample_x_mm) >= self._out_mm:
            stack, index = self._scan.flats, frame_number % self._scan.flats.shape[0]
        else:
            stack, index = self._scan.projections, self._reached(angle_deg)
        return self._scale.counts(stack.read(index))

    def frame_angle_deg(self, angle_deg: float) -> float:
        """Return the recorded angle of the projection that is served for a stage angle."""
        return float(self._scan.angles_deg[self._reached(angle_deg)])

    def _reached(self, angle_deg: float) -> int:
        return min(max(round(angle_deg / self._step_deg), 0), self._scan.projections.shape[0] - 1)
