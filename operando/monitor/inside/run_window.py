"""Black and white for all states of a run, so that their greys compare."""

import contextlib

from operando.model.grey_window import GreyWindow
from operando.model.preview_slices import PreviewSlices, read_preview
from operando.model.run_directory import RunDirectory
from operando.monitor.inside.state_planes import WHOLE_COVERAGE
from operando.monitor.reading.preview_reader import UNREADABLE, window_of
from operando.monitor.reading.run_view import TomogramView


class RunWindow:
    """Widens with each finished state until it holds the greys of all; one state is read each time it is asked."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._looked_at: dict[int, tuple[int, int]] = {}  # attempts, and which version of their preview
        self._windows: dict[str, GreyWindow] = {}
        self.holds_all = False  # finished states that were there when it was asked last

    def window(self, tomograms: tuple[TomogramView, ...], unit: str) -> GreyWindow | None:
        """Return the window of the states that were read so far; None if there is none in this unit."""
        self.holds_all = False
        for tomogram in tomograms:
            path = self._run.preview(tomogram.attempt)
            with contextlib.suppress(*UNREADABLE):
                status = path.stat()
                version = status.st_ino, status.st_mtime_ns
                if tomogram.stop_s is None or self._looked_at.get(tomogram.attempt) == version:
                    continue
                self._looked_at[tomogram.attempt] = version
                self._widen(read_preview(path))
                break
        else:
            self.holds_all = True
        return self._windows.get(unit)

    def _widen(self, preview: PreviewSlices) -> None:
        if not preview.complete or preview.coverage < WHOLE_COVERAGE:
            return  # its streaks are brighter than anything in the cell
        own, known = window_of(preview), self._windows.get(preview.unit)
        if known is not None:
            own = GreyWindow(min(own.black_per_cm, known.black_per_cm), max(own.white_per_cm, known.white_per_cm))
        self._windows[preview.unit] = own
