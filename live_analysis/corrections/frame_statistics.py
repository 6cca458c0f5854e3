"""Mean, scatter and saturation of every pixel of darks or flats, from frames that arrive in batches."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


def limit_of_type(dtype: np.dtype[Any]) -> float:
    """Return the highest count of integers of up to 16 bits; wider ones, and floats, have none that cameras reach."""
    return float(np.iinfo(dtype).max) if dtype.kind in "ui" and dtype.itemsize <= 2 else float("inf")


@dataclass(frozen=True)
class FrameStatistics:
    """What a set of frames says of each pixel; arrays have shape (row, column).

    ``mean`` is in counts, ``variance`` (of single frames about their mean) in counts squared, zero for one frame.
    ``saturated`` is the part of the frames in which the pixel stood at the camera's limit.
    """

    mean: NDArray[np.float32]
    variance: NDArray[np.float32]
    saturated: NDArray[np.float32]
    num_frames: int


class RunningStatistics:
    """Adds up frames of one kind, and their times.

    Parameters
    ----------
    max_counts
        What a saturated pixel reads; None for the highest count of the frames' type.
    """

    def __init__(self, *, max_counts: float | None = None) -> None:
        self._max_counts = max_counts
        self._first: NDArray[np.float64] | None = None
        self._sum: NDArray[np.float64] = np.zeros(0)
        self._sum_of_squares, self._num_saturated = self._sum, self._sum
        self._time_sum_s = 0.0
        self.num_frames = 0

    @property
    def time_s(self) -> float:
        """Mean time of the frames, in s since the Unix epoch; NaN if none has come."""
        return self._time_sum_s / self.num_frames if self.num_frames else float("nan")

    def add(self, images: NDArray[Any], times_s: NDArray[np.float64]) -> None:
        """Take a batch in: images of shape (frame, row, column), times of shape (frame,)."""
        max_counts = limit_of_type(images.dtype) if self._max_counts is None else self._max_counts
        if self._first is None:
            # Squares of the difference to the first frame: those of whole counts would cancel in float64 one day.
            self._first = images[0].astype(np.float64)
            self._sum = np.zeros(self._first.shape)
            self._sum_of_squares, self._num_saturated = self._sum.copy(), self._sum.copy()
        for image in images:
            difference = image - self._first
            self._sum += difference
            self._sum_of_squares += difference * difference
            self._num_saturated += image >= max_counts
        self._time_sum_s += float(times_s.sum())
        self.num_frames += len(images)

    def result(self) -> FrameStatistics | None:
        """Return what has come so far, None if nothing has."""
        if self._first is None:
            return None
        mean = self._sum / self.num_frames
        scatter = self._sum_of_squares - self.num_frames * mean * mean
        return FrameStatistics(
            (self._first + mean).astype(np.float32),
            (np.maximum(scatter, 0) / max(self.num_frames - 1, 1)).astype(np.float32),
            (self._num_saturated / self.num_frames).astype(np.float32),
            self.num_frames,
        )
