"""The analysis process: follows a run directory from its beginning; live only means that it grows."""

import contextlib
import dataclasses
import fcntl
import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from live_analysis.earlier_states import EarlierStates
from live_analysis.live.live_tomogram import LiveResult
from live_analysis.live.live_volume import Assumptions
from live_analysis.nxtomo import write_nxtomo
from live_analysis.progress import AnalysisState, Progress, Publish, say_nothing
from live_analysis.results import AnalysisRun, ResultsWriter, TomogramResults, read_analysis_runs
from live_analysis.run_follower import RunFollower, TomogramRun
from live_analysis.step_analysis import measure_step
from live_analysis.tomogram_analysis import UNUSABLE, TomogramAnalysis
from live_analysis.warm_up import warm_up
from operando.model.clock import SystemClock
from operando.model.expendable import ANALYSIS_NICENESS, become_expendable
from operando.model.experiment import Experiment
from operando.model.experiment_file import load_experiment
from operando.model.frames import FrameKind
from operando.model.free_memory import give_back_free_memory
from operando.model.measurement import Measurement
from operando.model.number_text import number_text
from operando.model.run_directory import RunDirectory

POLL_S = 0.05
RUN_NOT_CLOSED = "run_not_closed"  # measured from what there was; the run has no stop document yet

Report = Callable[[str], None]


class AnalysisRunningError(RuntimeError):
    """Another process analyses this run."""


def analyse(
    run_directory: Path,
    *,
    follow: bool,
    again: bool,
    stop: threading.Event,
    report: Report = print,
    publish: Publish = say_nothing,
) -> None:
    """Measure every tomogram of a run; with ``follow`` go on until the experiment has ended.

    A tomogram that was measured is not measured again. Whatever is wrong with one tomogram becomes the reason of its
    failed analysis run and stops none of the others. Without ``follow`` a tomogram whose run is not closed (its
    acquisition was killed, or goes on) is measured as it is, flagged, and measured again once it is closed.

    Parameters
    ----------
    run_directory
        Folder of the run.
    again
        Measure also what has been measured; the new values name those that they replace.
    stop
        Ends the analysis between two steps of work.
    report
        Takes a sentence for people per tomogram.
    publish
        Takes new results and the progress of the tomogram that is being taken; first of all the results so far.

    Raises
    ------
    FileFormatError
        If the experiment file cannot be read.
    """
    run = RunDirectory(run_directory.resolve())
    experiment = load_experiment(run.experiment)
    become_expendable(niceness=ANALYSIS_NICENESS)
    _Analysis(run, experiment, follow, again, report, publish).go_on_until(stop)


class _Analysis:
    def __init__(
        self, run: RunDirectory, experiment: Experiment, follow: bool, again: bool, report: Report, publish: Publish
    ) -> None:
        self._run, self._experiment = run, experiment
        self._follow, self._report, self._publish = follow, report, publish
        self._follower = RunFollower(run.documents)
        earlier = read_analysis_runs(run.results)
        self._done = set() if again else {_key(entry) for entry in earlier if entry.is_final}
        self._replaced = _event_uids(entry for entry in earlier if _key(entry) not in self._done)
        self._under_way: dict[str, TomogramAnalysis] = {}
        self._assumptions = Assumptions()
        self._earlier = EarlierStates(run)
        self._clock = SystemClock()
        self._num_dropped = 0
        self._num_damaged = 0
        for entry in earlier:
            publish(entry.results, Progress(AnalysisState.WAITING))

    def go_on_until(self, stop: threading.Event) -> None:
        writer = ResultsWriter(self._run.results, self._clock)
        if self._follow:
            with contextlib.suppress(OSError):  # a full disk: kernels are then loaded when they are needed
                warm_up()
        try:
            while not stop.is_set():
                num_new = self._follower.poll()
                self._tell_of_damage()
                for tomogram in self._waiting():
                    num_new += self._poll(tomogram, writer)
                    if (tomogram.ended or not self._follow) and not stop.is_set():
                        self._finish(tomogram, writer)
                self._measure_steps(writer)
                self._forget_measured()
                if not self._follow or (self._follower.runs.experiment_ended and not num_new):
                    break
                if not num_new:
                    stop.wait(POLL_S)
        finally:
            writer.close()
        self._publish(None, Progress(AnalysisState.ENDED, num_dropped=self._num_dropped))

    def _waiting(self) -> list[TomogramRun]:
        return [
            tomogram for tomogram in self._follower.runs.tomograms if (tomogram.uid, tomogram.name) not in self._done
        ]

    def _forget_measured(self) -> None:
        for tomogram in self._follower.runs.tomograms:
            if tomogram.ended and (tomogram.uid, tomogram.name) in self._done:
                self._follower.runs.forget(tomogram)

    def _measure_steps(self, writer: ResultsWriter) -> None:
        steps = self._follower.runs.steps
        for index, step in enumerate(steps):
            if (step.outer_run, step.name) not in self._done:
                results = measure_step(self._run, self._experiment, step, steps[:index])
                self._keep_final(results, writer, ended=True)
                _give_back_memory()

    def _poll(self, tomogram: TomogramRun, writer: ResultsWriter) -> int:
        """Take in new frames; what is wrong with them comes up again, and is told, when the tomogram is measured."""
        if tomogram.uid not in self._under_way:
            self._under_way[tomogram.uid] = self._begun(tomogram)
        analysis = self._under_way[tomogram.uid]
        try:
            num_new = analysis.poll()
        except Exception:
            return 0
        if self._follow:
            self._poll_live(tomogram, analysis, writer)
        self._publish(None, self._progress(AnalysisState.RECEIVING, tomogram))
        return num_new

    def _begun(self, tomogram: TomogramRun) -> TomogramAnalysis:
        analysis = TomogramAnalysis(self._run, self._experiment, tomogram, self._earlier)
        if self._follow:
            try:
                analysis.begin_live(self._assumptions, self._clock, self._report)
            except UNUSABLE as error:
                self._report(f"{tomogram.name}: no live volume: {error}")
        return analysis

    def _poll_live(self, tomogram: TomogramRun, analysis: TomogramAnalysis, writer: ResultsWriter) -> None:
        try:
            live = analysis.poll_live()
            if live is None:
                return
            self._assumptions = live.volume.learned
            self._report(_live_sentence(tomogram.name, live))
            quick = analysis.quick_result(live)
        except Exception as error:  # nothing that one tomogram holds may keep the others from being measured
            self._report(f"{tomogram.name}: no live volume: {_told(error)}")
            return
        if quick.measurements:
            self._keep(quick, writer, self._progress(AnalysisState.RECEIVING, tomogram))

    def _finish(self, tomogram: TomogramRun, writer: ResultsWriter) -> None:
        self._publish(None, self._progress(AnalysisState.MEASURING, tomogram))
        analysis = self._under_way[tomogram.uid]
        title = f"{self._experiment.experiment.title}: {tomogram.name}"
        results = measure(analysis, self._run, tomogram, title=title)
        declared = tomogram.num_declared.get(FrameKind.PROJECTION, 0)
        self._num_dropped += max(declared - analysis.num_projections, 0)
        del self._under_way[tomogram.uid], analysis
        self._keep_final(results, writer, ended=tomogram.ended)
        _give_back_memory()

    def _keep_final(self, results: TomogramResults, writer: ResultsWriter, *, ended: bool) -> None:
        self._done.add((results.raw_run, results.tomogram))
        waiting = Progress(AnalysisState.WAITING, results.tomogram, 0, len(self._waiting()), self._num_dropped)
        self._keep(_with_end(results, ended=ended), writer, waiting)

    def _keep(self, results: TomogramResults, writer: ResultsWriter, progress: Progress) -> None:
        """Write results that say which earlier values they replace."""
        key = _key(results)
        measurements = tuple(
            dataclasses.replace(entry, replaces=self._replaced.get((*key, entry.name)))
            for entry in results.measurements
        )
        results = dataclasses.replace(results, measurements=measurements)
        self._replaced |= {(*key, name): uid for name, uid in writer.write(results).items()}
        self._publish(results, progress)
        self._report(sentence(results))

    def _progress(self, state: AnalysisState, tomogram: TomogramRun) -> Progress:
        analysis = self._under_way.get(tomogram.uid)
        num_projections = 0 if analysis is None else analysis.num_projections
        return Progress(state, tomogram.name, num_projections, len(self._waiting()), self._num_dropped)

    def _tell_of_damage(self) -> None:
        if self._follower.num_damaged != self._num_damaged:
            self._num_damaged = self._follower.num_damaged
            self._report(f"{self._run.documents}: {self._num_damaged} damaged lines or documents were left out.")


@contextmanager
def only_one_analysis(run: RunDirectory) -> Iterator[None]:
    """Keep other processes from analysing the same run meanwhile: both would write the same results.

    Raises
    ------
    AnalysisRunningError
        If another process does so already.
    """
    run.processes.mkdir(exist_ok=True)
    path = run.processes / "analysis.lock"
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AnalysisRunningError(
                f"{run.path}: another process analyses this run and holds {path}. Wait until it has ended, or end it."
            ) from None
        yield


def measure(analysis: TomogramAnalysis, run: RunDirectory, tomogram: TomogramRun, *, title: str) -> TomogramResults:
    """Measure one tomogram and write its NXtomo file; whatever goes wrong is the ``failure`` of the results."""
    try:
        while analysis.poll():
            pass
        results = analysis.result()
    except Exception as error:  # nothing that one tomogram holds may keep the others from being measured
        results = TomogramResults(tomogram.name, tomogram.attempt, tomogram.uid, (), failure=_told(error))
    try:
        write_nxtomo(run, tomogram, title=title)
    except Exception as error:  # the measurements are good without this file
        sentences = filter(None, (results.failure, f"No NXtomo file was written: {_told(error)}"))
        results = dataclasses.replace(results, failure=" ".join(sentences))
    return results


def _with_end(results: TomogramResults, *, ended: bool) -> TomogramResults:
    """Say whether the run that results come from had ended; flags say it of every number if it had not."""
    if ended:
        return results
    flagged = tuple(dataclasses.replace(entry, flags=(*entry.flags, RUN_NOT_CLOSED)) for entry in results.measurements)
    return dataclasses.replace(results, measurements=flagged, raw_run_ended=False)


def _give_back_memory() -> None:
    gc.collect()
    give_back_free_memory()


def _told(error: Exception) -> str:
    """Return the error's sentence; a bare key or number needs the error's name to be understood."""
    text = str(error)
    return text if text.endswith(".") else f"{type(error).__name__}: {text}."


def _key(entry: AnalysisRun | TomogramResults) -> tuple[str, str]:
    return entry.raw_run, entry.tomogram


def _event_uids(runs: Iterator[AnalysisRun]) -> dict[tuple[str, str, str], str]:
    return {(*_key(analysis), entry.name): uid for analysis in runs for uid, entry in analysis.events.items()}


def sentence(results: TomogramResults) -> str:
    """Say for people what became of one tomogram."""
    cost_s = sum(results.cost_s.values())
    if results.failure:
        return f"{results.tomogram}: could not be analysed ({cost_s:.1f} s): {results.failure}"
    volume = next((entry for entry in results.measurements if entry.name == "high_attenuation_volume"), None)
    if volume is None:
        axis = next((entry for entry in results.measurements if entry.name == "rotation_axis"), None)
        if axis is None and results.attempt == 0:
            return f"{results.tomogram}: {len(results.measurements)} measurements of the step in {cost_s:.1f} s"
        text = "no rotation axis" if axis is None else f"axis at column {number_text(axis.value, axis.uncertainty)}"
        return f"{results.tomogram}: {text}, {len(results.measurements)} measurements in {cost_s:.1f} s"
    how = f"from the live volume in {cost_s:.1f} s" if results.quick else f"measured in {cost_s:.1f} s"
    return f"{results.tomogram}: {_volume_sentence(volume)}, {how}"


def _live_sentence(name: str, live: LiveResult) -> str:
    shape = " x ".join(str(size) for size in reversed(live.volume.values_per_cm.shape))
    again = ", made again about its own rotation axis" if live.volume.made_again else ""
    return (
        f"{name}: live volume of {shape} voxels ({live.voxel_size_um:.3g} um) ready {live.ready_s:.1f} s after its "
        f"last projection{again}"
    )


def _volume_sentence(volume: Measurement) -> str:
    flags = f" ({', '.join(volume.flags)})" if volume.flags else ""
    return f"high-attenuation volume {volume.value:.3g} ± {volume.uncertainty:.2g} um3{flags}"
