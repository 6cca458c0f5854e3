"""The pipeline's entrance for a RunEngine of one's own: ``RE.subscribe(LiveAnalysis(directory))``."""

import atexit
from collections.abc import Callable
from pathlib import Path

from live_analysis.analyse import measure, sentence
from live_analysis.queued_analysis import MAX_QUEUED, QueuedAnalysis
from live_analysis.results import ResultsWriter, TomogramResults, read_analysis_runs
from live_analysis.run_follower import Document, TomogramRun
from live_analysis.tomogram_analysis import TomogramAnalysis
from operando.model.clock import Clock, SystemClock
from operando.model.experiment import Experiment
from operando.model.experiment_file import load_experiment
from operando.model.run_directory import RunDirectory

LAST_WAIT_S = 600.0  # for what is still queued when the interpreter ends


class LiveAnalysis(QueuedAnalysis):
    """Measures every tomogram of a RunEngine; an ordinary bluesky callback that only enqueues and never raises.

    ``RE.subscribe(LiveAnalysis("results"))`` is all that is needed. A tomogram is a run with the streams ``dark``,
    ``flat`` and ``projection``, declared by StreamResource and StreamDatum documents, whose files hold the angle of
    each frame; its start document says ``pixel_size_um``. Other runs are passed over. Measurements go to
    ``results.jsonl`` of the directory, pictures to ``report/``, NXtomo files to ``tomograms/``, as in a run directory.

    Parameters
    ----------
    directory
        Where results go; made if it is not there. What it holds from an earlier session is added to, not replaced.
    experiment
        Experiment file that tells the cell's geometry and what to measure in it; by default ``experiment.toml`` in
        the directory if there is one. Without it rotation axis, angular coverage, the cell's readings where the run
        has a stream ``cell``, and three slices are what there is.
    report
        Takes a sentence for people about each tomogram; called in the analysis' thread.
    clock
        Stamps the results; by default the host's.
    max_queued
        Documents that may wait while a tomogram is measured; events and declared frames beyond it are dropped and
        counted.

    Raises
    ------
    FileFormatError
        If the experiment file is not what it must be.
    OSError
        If the directory cannot be written.
    """

    def __init__(
        self,
        directory: Path | str,
        *,
        experiment: Path | str | None = None,
        report: Callable[[str], None] = print,
        clock: Clock | None = None,
        max_queued: int = MAX_QUEUED,
    ) -> None:
        self._directory = RunDirectory(Path(directory).resolve())
        self._experiment = _experiment_of(self._directory, experiment)
        self._directory.path.mkdir(parents=True, exist_ok=True)
        self._report = report
        earlier = read_analysis_runs(self._directory.results) if self._directory.results.exists() else []
        self._num_attempts = max((entry.attempt for entry in earlier), default=0)
        self._writer = ResultsWriter(self._directory.results, SystemClock() if clock is None else clock)
        self._writer_closed = False
        super().__init__(self._measure_run, self._keep, max_queued=max_queued)
        # A script that ends with its last plan must not lose the last tomogram's measurements.
        atexit.register(self.close, LAST_WAIT_S)

    def __call__(self, name: str, document: Document) -> None:
        """Take one document in; a run that does not number its attempts gets the next number for its files' names."""
        if name == "start" and isinstance(document, dict) and "attempt" not in document:
            self._num_attempts += 1
            document = {**document, "attempt": self._num_attempts}
        super().__call__(name, document)

    def close(self, timeout_s: float) -> bool:
        """Finish what is queued, then end; return whether that was done within ``timeout_s``."""
        finished = super().close(timeout_s)
        if finished and not self._writer_closed:
            self._writer_closed = True
            atexit.unregister(self.close)
            self._writer.close()
        return finished

    def _measure_run(self, tomogram: TomogramRun) -> TomogramResults:
        analysis = TomogramAnalysis(self._directory, self._experiment, tomogram)
        return measure(analysis, self._directory, tomogram, title=tomogram.name)

    def _keep(self, results: TomogramResults) -> None:
        self._writer.write(results)
        self._report(sentence(results))


def _experiment_of(directory: RunDirectory, given: Path | str | None) -> Experiment | None:
    if given is not None:
        return load_experiment(Path(given))
    return load_experiment(directory.experiment) if directory.experiment.is_file() else None
