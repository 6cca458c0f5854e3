"""One experiment from its file to its results: refuses what cannot work and makes the run directory."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from operando.model.attendance import LONGEST_ALONE_S
from operando.model.experiment_file import load_experiment
from operando.session.asked import Asked, write_asked
from operando.session.beamline_probe import refuse_incomplete_beamline
from operando.session.check import chosen_geometry, refuse_what_cannot_be
from operando.session.conducting import Undertaking, conduct
from operando.session.injecting import refuse_wrong_faults
from operando.session.layout import make_run_directory, refuse_used_directory


@dataclass(frozen=True)
class RunRequest:
    """What was asked on the command line."""

    experiment_file: Path
    beamline_file: Path | None
    geometry: str | None
    run_directory: Path | None
    seed: int | None
    recorded: Path | None = None
    epoch_s: float | None = None
    longest_alone_s: float = LONGEST_ALONE_S
    angle_unit: str | None = None
    faults: Path | None = None


def run_experiment(request: RunRequest, console: Console) -> int:
    """Run an experiment, or rehearse it when no beamline file is given; return the exit code."""
    if request.run_directory is not None:
        refuse_used_directory(request.run_directory)
    experiment = load_experiment(request.experiment_file)
    rehearsal = request.beamline_file is None
    if request.faults is not None:
        refuse_wrong_faults(request.faults, rehearsal=rehearsal)
    geometry = chosen_geometry(experiment, request.geometry, rehearsal=rehearsal, file=request.experiment_file)
    refuse_what_cannot_be(
        request.experiment_file,
        experiment,
        geometry,
        beamline_file=request.beamline_file,
        directory=request.run_directory,
        replayed=request.recorded is not None,
    )
    if request.beamline_file is not None:
        refuse_incomplete_beamline(
            request.beamline_file,
            sample_out_mm=experiment.tomogram.sample_out,
            sample_in_mm=experiment.tomogram.sample_in,
        )
    run = make_run_directory(request.experiment_file, experiment.experiment.name, directory=request.run_directory)
    asked = Asked(
        geometry,
        rehearsal,
        seed=request.seed,
        recorded=None if request.recorded is None else str(request.recorded.resolve()),
        angle_unit=request.angle_unit,
        longest_alone_s=request.longest_alone_s,
    )
    write_asked(run, asked)
    if request.beamline_file is not None:
        shutil.copyfile(request.beamline_file, run.beamline)
    elif experiment.rehearsal is not None and request.recorded is None:
        run.simulation.mkdir()
        shutil.copyfile(request.experiment_file.parent / experiment.rehearsal.cell, run.simulated_cell)

    def begin() -> None:
        console.print(
            f"{'REHEARSAL' if rehearsal else 'Experiment'} {experiment.experiment.name} ({geometry}) in {run.path}"
        )

    return conduct(Undertaking(run, experiment, asked, epoch_s=request.epoch_s, faults=request.faults), begin, console)
