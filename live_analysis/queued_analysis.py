"""A bluesky callback that only takes documents in, and the thread behind it that measures what has ended."""

import logging
import queue
import threading
from collections.abc import Callable
from time import perf_counter

from live_analysis.results import TomogramResults
from live_analysis.run_follower import Document, TomogramRun, TomogramRuns
from operando.model.frames import FrameKind

MAX_QUEUED = 10_000
# A run has a handful of these, and without them it never begins or never ends; so they are taken even when full.
_FRAME_OF_A_RUN = frozenset({"start", "descriptor", "stream_resource", "stop"})

_log = logging.getLogger(__name__)


class QueuedAnalysis:
    """Analyses every tomogram whose documents it is given, in a thread of its own.

    A call never raises and never waits, whatever the documents hold and however long the analysis takes. Runs without
    declared projections are passed over, unless their start document says ``kind: tomogram``.

    Parameters
    ----------
    analyse_tomogram
        Measures a tomogram that has ended. What it raises becomes the ``failure`` of the results.
    on_finished
        Takes the results of each tomogram, in the order in which they ended.
    max_queued
        Documents that may wait while an analysis works; events and declared frames beyond it are dropped and counted.
    """

    def __init__(
        self,
        analyse_tomogram: Callable[[TomogramRun], TomogramResults],
        on_finished: Callable[[TomogramResults], None],
        *,
        max_queued: int = MAX_QUEUED,
    ) -> None:
        self._analyse_tomogram = analyse_tomogram
        self._on_finished = on_finished
        self._max_queued = max_queued
        self._waiting: queue.SimpleQueue[tuple[str, Document] | None] = queue.SimpleQueue()
        self._runs = TomogramRuns(every_run=True)
        self._done: set[str] = set()
        self._num_dropped = 0
        self._closed = threading.Event()
        self._give_up = threading.Event()
        self._thread = threading.Thread(target=self._work, name="live-analysis", daemon=True)
        self._thread.start()

    def __call__(self, name: str, document: Document) -> None:
        """Take one document in."""
        full = self._waiting.qsize() >= self._max_queued and name not in _FRAME_OF_A_RUN
        if full or self._closed.is_set():
            self._num_dropped += 1
        else:
            self._waiting.put((name, document))

    @property
    def num_queued(self) -> int:
        """Documents that wait."""
        return self._waiting.qsize()

    @property
    def num_dropped(self) -> int:
        """Documents that were not taken in: the queue was full, or the analysis was closed."""
        return self._num_dropped

    @property
    def num_damaged(self) -> int:
        """Documents that were taken in but could not be used."""
        return self._runs.num_damaged

    def close(self, timeout_s: float) -> bool:
        """Finish what is queued, then end; return whether that was done within ``timeout_s``.

        What is not finished by then is left out, except the tomogram that is being analysed.
        """
        if not self._closed.is_set():
            self._closed.set()
            self._waiting.put(None)
        self._thread.join(timeout_s)
        self._give_up.set()
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            self._runs.add(*item)
            if item[0] in ("start", "stop"):  # a new experiment's start ends what a dead one left open
                for tomogram in self._runs.tomograms:
                    if tomogram.ended and tomogram.uid not in self._done and not self._give_up.is_set():
                        self._done.add(tomogram.uid)
                        self._finish(tomogram)

    def _finish(self, tomogram: TomogramRun) -> None:
        if tomogram.start.get("kind") != "tomogram" and FrameKind.PROJECTION not in tomogram.num_declared:
            return
        results = self._measured(tomogram)
        try:
            self._on_finished(results)
        except Exception:
            _log.exception("%s was analysed, but whoever takes the results failed.", tomogram.name)

    def _measured(self, tomogram: TomogramRun) -> TomogramResults:
        began = perf_counter()
        try:
            return self._analyse_tomogram(tomogram)
        except Exception as error:
            _log.exception("%s could not be analysed.", tomogram.name)
            failure = f"{type(error).__name__}: {error}"
            cost_s = {"analysis": perf_counter() - began}
            return TomogramResults(tomogram.name, tomogram.attempt, tomogram.uid, (), failure, cost_s)
