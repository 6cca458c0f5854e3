"""The preview of the tomogram that was begun last, in the grey scale of the one before it."""

import contextlib
from dataclasses import dataclass

import numpy as np

from operando.model.grey_window import GreyWindow, grey_window
from operando.model.preview_slices import PreviewSlices, read_preview
from operando.model.run_directory import RunDirectory
from operando.monitor.reading.run_view import TomogramView

# Not there, or damaged in whatever way: as if not there.
UNREADABLE = (OSError, LookupError, RuntimeError, ValueError, TypeError, AttributeError, MemoryError)

VALUES_FOR_WINDOW = 200_000  # are enough for percentiles; all of a large slice would take 15 ms


@dataclass(frozen=True)
class ShownPreview:
    """Slices, and the attenuation that is drawn black and white."""

    slices: PreviewSlices
    window: GreyWindow


class PreviewReader:
    """Looks for a newer preview each time it is asked."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._seen: tuple[int, int] | None = None
        self._shown: ShownPreview | None = None
        self._earlier: tuple[int, GreyWindow | None] | None = None

    def newest(self, tomogram: TomogramView | None) -> ShownPreview | None:
        """Return the preview of the newest tomogram; the same object as before if nothing is newer.

        None if there is none, or if the tomogram is over and its picture drawn.
        """
        if tomogram is None or self._is_drawn(tomogram):
            return None
        path = self._run.preview(tomogram.attempt)
        with contextlib.suppress(*UNREADABLE):
            status = path.stat()
            key = status.st_ino, status.st_mtime_ns
            if key != self._seen:
                slices = read_preview(path)
                self._shown, self._seen = ShownPreview(slices, self._window(tomogram.attempt, slices)), key
            return self._shown
        return None

    def _is_drawn(self, tomogram: TomogramView) -> bool:
        """Whether a picture of the finished tomogram says more; the analysis may be behind the acquisition."""
        return tomogram.stop_s is not None and self._run.preview_picture(tomogram.attempt, tomogram.name).exists()

    def _window(self, attempt: int, slices: PreviewSlices) -> GreyWindow:
        """Choose what is black and white; streaks of few projections choose it only in the first tomogram of a run."""
        if self._earlier is None or self._earlier[0] != attempt:
            self._earlier = attempt, self._window_before(attempt)
        earlier = self._earlier[1]
        return window_of(slices) if earlier is None or slices.complete else earlier

    def _window_before(self, attempt: int) -> GreyWindow | None:
        for before in range(attempt - 1, 0, -1):
            with contextlib.suppress(*UNREADABLE):
                slices = read_preview(self._run.preview(before))
                if slices.complete:
                    return window_of(slices)
        return None


def window_of(slices: PreviewSlices) -> GreyWindow:
    """Choose what is black and white from three slices."""
    values = np.concatenate([plane.ravel() for plane in (slices.xy, slices.xz, slices.yz)])
    return grey_window(values[:: max(values.size // VALUES_FOR_WINDOW, 1)])
