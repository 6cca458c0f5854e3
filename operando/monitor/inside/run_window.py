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
        self._looked_at: set[int] = set()
        self._windows: dict[str, GreyWindow] = {}

    def window(self, tomograms: tuple[TomogramView, ...], unit: str) -> GreyWindow | None:
        """Return the window of the states that were read so far; None if there is none in this unit."""
        for tomogram in tomograms:
            if tomogram.attempt not in self._looked_at and tomogram.stop_s is not None:
                with contextlib.suppress(*UNREADABLE):
                    preview = read_preview(self._run.preview(tomogram.attempt))
                    if not preview.complete:
                        continue  # the analysis is still adding projections
                    self._widen(preview)
                self._looked_at.add(tomogram.attempt)
                break
        return self._windows.get(unit)

    def _widen(self, preview: PreviewSlices) -> None:
        if preview.coverage < WHOLE_COVERAGE:
            return  # its streaks are brighter than anything in the cell
        own, known = window_of(preview), self._windows.get(preview.unit)
        if known is not None:
            own = GreyWindow(min(own.black_per_cm, known.black_per_cm), max(own.white_per_cm, known.white_per_cm))
        self._windows[preview.unit] = own
