"""The preview of the tomogram that is being taken, with a grey scale that does not change while people look at it."""

import contextlib
from dataclasses import dataclass

import numpy as np

from operando.model.grey_window import GreyWindow, grey_window
from operando.model.preview_slices import PreviewSlices, read_preview
from operando.model.run_directory import RunDirectory
from operando.monitor.run_view import TomogramView

TELLING_COVERAGE = 0.5  # of the half turn: with less, streaks are stronger than what is looked at


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
        self._window: tuple[str, GreyWindow] | None = None

    def newest(self, running: TomogramView | None) -> ShownPreview | None:
        """Return the preview of the running tomogram; the same object as before if nothing is newer."""
        if running is None:
            return None
        path = self._run.preview(running.attempt)
        with contextlib.suppress(OSError, KeyError, ValueError, TypeError):  # not there, or damaged: as if not there
            status = path.stat()
            key = status.st_ino, status.st_mtime_ns
            if key != self._seen:
                slices = read_preview(path)
                self._shown, self._seen = ShownPreview(slices, self._window_of(slices)), key
            return self._shown
        return None

    def _window_of(self, slices: PreviewSlices) -> GreyWindow:
        """Choose a window until enough is seen, and keep it then."""
        if self._window is not None and self._window[0] == slices.run_uid and not slices.complete:
            return self._window[1]
        window = grey_window(np.concatenate([plane.ravel() for plane in (slices.xy, slices.xz, slices.yz)]))
        if slices.coverage >= TELLING_COVERAGE:
            self._window = slices.run_uid, window
        return window
