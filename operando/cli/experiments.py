"""Commands that begin something at a beamline, real or simulated, or go on with it."""

from pathlib import Path
from typing import Annotated

import typer

from operando.cli.options import (
    AngleUnit,
    BeamlineFile,
    ExperimentFile,
    FaultFile,
    Full,
    FullFrame,
    LongestAlone,
    Quick,
    RunDir,
    RunFolder,
    geometry_of,
    terminal,
)
from operando.model.attendance import LONGEST_ALONE_S
from operando.session.lasting_console import LastingConsole


def run(
    file: ExperimentFile,
    beamline: BeamlineFile = None,
    quick: Quick = False,
    full: Full = False,
    full_frame: FullFrame = False,
    run_dir: RunDir = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Seed of the simulated beamline (rehearsals only).")
    ] = None,
    epoch: Annotated[
        float | None,
        typer.Option("--epoch", hidden=True, help="Virtual time at the start of a rehearsal, s since 1970."),
    ] = None,
    faults: FaultFile = None,
    longest_alone: LongestAlone = LONGEST_ALONE_S,
) -> None:
    """Run an experiment; without --beamline, rehearse it.

    A rehearsal runs on simulated hardware over the same protocols; with --beamline a server that does not answer is an
    error and nothing starts. Look first with 'operando check FILE'. Ctrl-C asks what to do; a second one stops at once.
    Exit code: 0 complete, 1 not complete, 2 refused before anything started, 130 stopped by a person.
    """
    from operando.session.run import RunRequest, run_experiment

    geometry = geometry_of(quick, full, full_frame)
    request = RunRequest(
        file, beamline, geometry, run_dir, seed, epoch_s=epoch, longest_alone_s=longest_alone, faults=faults
    )
    raise typer.Exit(run_experiment(request, terminal(LastingConsole)))


def resume(run: RunFolder) -> None:
    """Go on with a run that was killed, stopped or failed.

    It goes on where the cell really is. What lives of the run is used, what was left running is stopped, what was left
    open is closed and told. No tomogram is taken twice; what was missed meanwhile is recorded as missed.
    Where every step is over, what is not measured yet is measured, and the report written if there is none.
    'operando status RUN' says beforehand what it will do.
    Exit code: 0 complete, 1 not complete, 2 refused before anything was asked of the cell, 130 stopped by a person.
    """
    from operando.session.resume import resume_run

    raise typer.Exit(resume_run(run, terminal(LastingConsole)))


def align(
    file: ExperimentFile,
    beamline: BeamlineFile = None,
    centre: Annotated[
        bool, typer.Option("--centre", help="Move sample_x until the axis is in the middle; prove it by another pair.")
    ] = False,
    num_frames: Annotated[
        int, typer.Option("--frames", min=1, max=1000, help="Frames of dark, flat and each shot; their mean counts.")
    ] = 10,
    quick: Quick = False,
    full: Full = False,
    full_frame: FullFrame = False,
    run_dir: RunDir = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Seed of the simulated beamline (rehearsals only).")
    ] = None,
) -> None:
    """Take test shots, find the rotation axis, propose a region.

    Before an experiment. Takes dark, flat (sample out) and shots at 0 and 180 deg with the exposure of FILE; nothing is
    asked of the cell.
    Tells counts, saturation, noise and transmission; the rotation axis' column, distance from the middle and tilt;
    the rows and columns worth reading. The picture is in DIR/report/alignment.png. Without --beamline it is rehearsed.
    Only --centre moves the sample for good. Exit code: 0 done, 1 failed, 2 refused, 130 stopped by a person.
    """
    from operando.session.align import AlignRequest
    from operando.session.align import align as align_beamline

    request = AlignRequest(file, beamline, geometry_of(quick, full, full_frame), run_dir, seed, num_frames, centre)
    raise typer.Exit(align_beamline(request, terminal(LastingConsole)))


def check(
    file: ExperimentFile,
    beamline: BeamlineFile = None,
    quick: Quick = False,
    full: Full = False,
    full_frame: FullFrame = False,
) -> None:
    """Validate an experiment file and print what it will need.

    Timeline, durations, disk, photon budget, drift within one scan and the time that a rehearsal takes; nothing starts.
    """
    from operando.session.check import check_experiment

    raise typer.Exit(check_experiment(file, beamline, geometry_of(quick, full, full_frame), terminal()))


def replay(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="Folder of TIFFs, NXtomo or Data Exchange file.")],
    pixel_size: Annotated[
        str | None,
        typer.Option("--pixel-size", help="Pixel size in the sample, as in '2.5 um', if the scan does not say."),
    ] = None,
    angle_unit: AngleUnit = None,
    run_dir: RunDir = None,
) -> None:
    """Replay a recorded scan through camera, plan and analysis.

    PATH is a folder with dark*.tif, flat*.tif, angles.txt and projections (or tiffs/), an NXtomo file, as a run writes
    into tomograms/, or a Data Exchange file.
    """
    from operando.session.replay import replay_scan

    raise typer.Exit(replay_scan(path, pixel_size, angle_unit, run_dir, terminal(LastingConsole)))
