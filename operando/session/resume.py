"""An experiment whose acquisition died, was stopped or failed goes on where the cell really is."""

import contextlib
import sqlite3
from pathlib import Path

from rich.console import Console

from live_analysis.unmeasured import unmeasured
from operando.model.cell_log import CellLogReader
from operando.model.document_lines import read_documents
from operando.model.edited_schedule import present_experiment
from operando.model.json_lines import read_json_lines
from operando.model.process_files import read_pid_files
from operando.model.run_directory import RunDirectory
from operando.session.asked import read_asked
from operando.session.begun_steps import steps_left
from operando.session.conducting import Undertaking, conduct, measure_the_rest
from operando.session.errors import EXIT_COMPLETE, EXIT_FAILED, RequestError
from operando.session.layout import open_run_directory
from operando.session.runs_so_far import runs_so_far


def resume_run(path: Path, console: Console) -> int:
    """Go on with an experiment in its run directory; return the exit code.

    Raises
    ------
    RequestError, FileFormatError, RunDirectoryError
        If it cannot be resumed; nothing was changed then.
    """
    run = open_run_directory(path)
    asked = read_asked(run)
    experiment = present_experiment(run)
    acquisition = next((entry for entry in read_pid_files(run.processes) if entry.role == "acquisition"), None)
    if acquisition is not None and acquisition.alive:
        raise RequestError(f"{path}: goes on already (process {acquisition.pid}). There is nothing to resume.")
    if not asked.rehearsal and not run.beamline.is_file():
        raise RequestError(f"{path}: has no beamline.toml, so nobody knows where its instruments are. Begin a new run.")
    left = steps_left(run, experiment)
    if not left and not is_left_open(run, rehearsal=asked.rehearsal):
        return _end(Undertaking(run, experiment, asked, resumed=True), console)

    def begin() -> None:
        console.print(
            f"{'REHEARSAL' if asked.rehearsal else 'Experiment'} {experiment.experiment.name} ({asked.geometry}) "
            f"goes on in {run.path}, with {left[0] if left else 'its end'}",
            highlight=False,
        )

    return conduct(Undertaking(run, experiment, asked, resumed=True, epoch_s=last_time_s(run)), begin, console)


def _end(undertaking: Undertaking, console: Console) -> int:
    """Make what a run that is over still lacks, and say how it ended; return the exit code that is worth."""
    run = undertaking.run
    outer = [each for each in runs_so_far(read_documents(run.documents)).values() if not each.is_tomogram]
    stop = (outer[-1].stop or {}) if outer else {}
    reason = str(stop.get("reason", ""))
    lacking = lacks(run)
    over = f"{run.path.name}: every step of the schedule is over; " + (
        f"made now: {', '.join(lacking)}." if lacking else "there is nothing to resume."
    )

    def begin() -> None:
        console.print(over + (f" It ended with: {reason}." if reason else ""), highlight=False, markup=False)

    exit_code = EXIT_FAILED if stop.get("exit_status") in ("fail", "abort") else EXIT_COMPLETE
    if lacking:
        return max(exit_code, measure_the_rest(undertaking, begin, console))
    begin()
    return exit_code


def lacks(run: RunDirectory) -> list[str]:
    """Return what a run that is over still lacks: the tomograms and steps that are not measured yet, the report."""
    return [*unmeasured(run), *([] if run.report_page.is_file() else ["the report"])]


def is_left_open(run: RunDirectory, *, rehearsal: bool) -> bool:
    """Return whether a run has not come to its own end, whatever its schedule: not closed, or processes left."""
    outer = [each for each in runs_so_far(read_documents(run.documents)).values() if not each.is_tomogram]
    living = {record.role for record in read_pid_files(run.processes) if record.alive}
    return bool(outer and outer[-1].stop is None) or (rehearsal and bool(living & {"guard", "simulator"}))


def last_time_s(run: RunDirectory) -> float | None:
    """Return the last time on the run's clock that anything in it is stamped with."""
    times_s = [
        float(line["time"])
        for line in read_json_lines(run.schedule)
        if isinstance(line, dict) and line.get("event") != "request" and "time" in line
    ]
    with contextlib.suppress(sqlite3.Error, OSError), contextlib.closing(CellLogReader(run.cell_log)) as log:
        times_s += [float(row["time_s"]) for table in ("potentiostat", "events") if (row := log.last(table))]
    return max(times_s, default=None)
