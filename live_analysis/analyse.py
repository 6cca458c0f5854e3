"""The analysis process: follows a run directory from its beginning; live only means that it grows."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

from live_analysis.nxtomo import write_nxtomo
from live_analysis.results import ResultsWriter, TomogramResults, read_analysis_runs
from live_analysis.run_follower import RunFollower, TomogramRun
from live_analysis.tomogram_analysis import TomogramAnalysis
from operando.model.clock import SystemClock
from operando.model.experiment import Experiment, load_experiment
from operando.model.measurement import Measurement
from operando.model.run_directory import RunDirectory

POLL_S = 0.05
NICENESS = 10  # rendering and analysis must not slow the guard down

Report = Callable[[str], None]
Publish = Callable[[TomogramResults | None, TomogramRun | None, int], None]


def say_nothing(results: TomogramResults | None, tomogram: TomogramRun | None, num_frames: int) -> None:
    """Take results and publish them nowhere."""


def analyse(
    run_directory: Path,
    *,
    follow: bool,
    again: bool,
    stop: threading.Event,
    report: Report = print,
    publish: Publish = say_nothing,
) -> None:
    """Measure every tomogram of a run that has ended; with ``follow`` go on until the experiment has ended.

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
        Takes new results, or the progress of the tomogram that is being taken.
    """
    run = RunDirectory(run_directory.resolve())
    experiment = load_experiment(run.experiment)
    os.nice(NICENESS)
    follower = RunFollower(run.documents)
    done = set() if again else {entry.raw_run for entry in read_analysis_runs(run.results)}
    replaced = _event_uids(run) if again else {}
    writer = ResultsWriter(run.results, SystemClock())
    under_way: dict[str, TomogramAnalysis] = {}
    try:
        while not stop.is_set():
            num_new = follower.poll()
            for tomogram in follower.runs.tomograms:
                if tomogram.uid not in done:
                    analysis = under_way.setdefault(tomogram.uid, TomogramAnalysis(run, experiment, tomogram))
                    num_new += analysis.poll()
                    publish(None, tomogram, analysis.num_projections)
                    if tomogram.ended and not stop.is_set():
                        results = _measured(run, experiment, tomogram, under_way.pop(tomogram.uid), replaced)
                        writer.write(results)
                        done.add(tomogram.uid)
                        publish(results, tomogram, 0)
                        report(_sentence(results))
            if not follow or (follower.runs.experiment_ended and not num_new):
                break
            if not num_new:
                stop.wait(POLL_S)
    finally:
        writer.close()


def _measured(
    run: RunDirectory,
    experiment: Experiment,
    tomogram: TomogramRun,
    analysis: TomogramAnalysis,
    replaced: dict[tuple[str, str], str],
) -> TomogramResults:
    while analysis.poll():
        pass
    write_nxtomo(run, tomogram, title=f"{experiment.experiment.title}: {tomogram.name}")
    results = analysis.result()
    if not replaced:
        return results
    measurements = tuple(_replacing(entry, replaced) for entry in results.measurements)
    return TomogramResults(
        results.tomogram, results.attempt, results.raw_run, measurements, results.failure, results.cost_s
    )


def _replacing(entry: Measurement, replaced: dict[tuple[str, str], str]) -> Measurement:
    document = entry.as_document()
    document.update(flags=entry.flags, replaces=replaced.get((entry.run_uid, entry.name)))
    return Measurement(**document)


def _event_uids(run: RunDirectory) -> dict[tuple[str, str], str]:
    return {
        (entry.run_uid, entry.name): uid
        for analysis in read_analysis_runs(run.results)
        for uid, entry in analysis.events.items()
    }


def _sentence(results: TomogramResults) -> str:
    cost_s = sum(results.cost_s.values())
    if results.failure:
        return f"{results.tomogram}: could not be analysed ({cost_s:.1f} s): {results.failure}"
    volume = next((entry for entry in results.measurements if entry.name == "high_attenuation_volume"), None)
    if volume is None:
        return f"{results.tomogram}: {len(results.measurements)} measurements in {cost_s:.1f} s"
    flags = f" ({', '.join(volume.flags)})" if volume.flags else ""
    return (
        f"{results.tomogram}: high-attenuation volume {volume.value:.3g} ± {volume.uncertainty:.2g} um3{flags}, "
        f"measured in {cost_s:.1f} s"
    )
