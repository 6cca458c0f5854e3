"""One rehearsal as a person would start it: a process of its own that is never left running behind a study."""

import shutil
import subprocess
from pathlib import Path

from campaigns.command import command
from operando.session.errors import EXIT_COMPLETE

LONGEST_S = 3600.0  # a rehearsal takes two minutes on an idle computer
LONGEST_ENDING_S = 60.0  # `operando run` brings the cell to open circuit and ends what it started


class RehearsalFailedError(RuntimeError):
    """A rehearsal that did not complete."""


def rehearse(experiment: Path, geometry: str, run: Path) -> None:
    """Rehearse an experiment; the run directory appears under its name when everything in it is measured.

    What an interrupted rehearsal left is thrown away and begun anew. Its output goes to a log beside the run.

    Raises
    ------
    RehearsalFailedError
        If it did not end complete; what it left stays, named ``running``, until it is tried again.
    """
    running, log = run.with_name("running"), run.with_name("rehearsal.log")
    shutil.rmtree(running, ignore_errors=True)
    code = _waited_for(log, "run", str(experiment.resolve()), f"--{geometry}", "--run-dir", str(running.resolve()))
    if code != EXIT_COMPLETE:
        raise RehearsalFailedError(f"{experiment}: the rehearsal ended with exit code {code}; {log} says why.")
    running.rename(run)


def measure_again(run: Path) -> None:
    """Measure the tomograms and steps of a complete run again, as after a change of the analysis.

    Raises
    ------
    RehearsalFailedError
        If the analysis failed.
    """
    log = run.with_name("analysis.log")
    code = _waited_for(log, "analyse", str(run.resolve()), "--again")
    if code != EXIT_COMPLETE:
        raise RehearsalFailedError(f"{run}: the analysis ended with exit code {code}; {log} says why.")


def _waited_for(log: Path, *arguments: str) -> int:
    """Run ``operando`` to its end and return its exit code; whoever stops waiting ends it.

    Raises
    ------
    RehearsalFailedError
        If it takes longer than an hour.
    """
    log.unlink(missing_ok=True)
    with command(log, *arguments, ending_s=LONGEST_ENDING_S) as process:
        try:
            return process.wait(LONGEST_S)
        except subprocess.TimeoutExpired:
            raise RehearsalFailedError(f"operando {arguments[0]} has not ended after {LONGEST_S:.0f} s.") from None
