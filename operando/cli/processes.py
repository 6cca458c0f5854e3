"""Commands that are the single processes of a run."""

from pathlib import Path
from typing import Annotated

import typer

from operando.cli.options import AngleUnit, ExperimentFile, FaultFile, LongestAlone, RunFolder, terminal
from operando.model.attendance import LONGEST_ALONE_S


def simulate(
    file: ExperimentFile,
    geometry: Annotated[
        str, typer.Option("--geometry", metavar="NAME", help="One of the file's geometries.")
    ] = "quick",
    directory: Annotated[
        Path, typer.Option("--directory", metavar="DIR", help="Where beamline.toml is written.")
    ] = Path("simulation"),
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Seed; the experiment file's if not given.")] = None,
    epoch: Annotated[
        float | None, typer.Option("--epoch", help="Virtual time at the start, s since 1970; now if not given.")
    ] = None,
    recorded: Annotated[
        Path | None,
        typer.Option("--recorded", metavar="PATH", help="Serve this recorded scan instead of a simulated cell."),
    ] = None,
    angle_unit: AngleUnit = None,
    goes_on: Annotated[
        bool, typer.Option("--go-on", hidden=True, help="Go on with the cell that was served from DIR before.")
    ] = False,
    cell: Annotated[
        Path | None, typer.Option("--cell", hidden=True, help="File of the cell instead of the experiment file's.")
    ] = None,
    await_all: Annotated[
        bool, typer.Option("--await-all", hidden=True, help="Let time begin when guard and acquisition have joined.")
    ] = False,
    without_guard: Annotated[
        bool, typer.Option("--without-guard", hidden=True, help="Time goes on without a guard, as for an alignment.")
    ] = False,
    faults: FaultFile = None,
    longest_alone: LongestAlone = LONGEST_ALONE_S,
) -> None:
    """Serve a simulated beamline until Ctrl-C.

    Prints READY and the path of its beamline file, which 'operando devices' takes. 'operando run' starts one by itself.
    """
    from operando.session.serve import simulate_beamline

    raise typer.Exit(
        simulate_beamline(
            file,
            geometry,
            directory,
            seed=seed,
            epoch_s=epoch,
            goes_on=goes_on,
            cell_file=cell,
            recorded=recorded,
            angle_unit=angle_unit,
            await_all=await_all,
            without_guard=without_guard,
            longest_alone_s=longest_alone,
            faults=faults,
        )
    )


def guard(
    run: RunFolder,
    stop_cell: Annotated[bool, typer.Option("--stop-cell", help="Bring the cell to open circuit when ended.")] = False,
    longest_alone: LongestAlone = LONGEST_ALONE_S,
    in_reserve: Annotated[
        bool, typer.Option("--in-reserve", hidden=True, help="Load everything, begin with a line on standard input.")
    ] = False,
) -> None:
    """Guard the cell of a run: sample, log, enforce limits.

    One guard per run directory; 'operando run' starts it and starts it again if it dies. To end a beamline's guard and
    leave the cell at open circuit, begin it with --stop-cell and send SIGTERM or Ctrl-C.
    """
    from operando.session.serve import guard_cell

    raise typer.Exit(guard_cell(run, stop_cell=stop_cell, longest_alone_s=longest_alone, in_reserve=in_reserve))


def analyse(
    run: RunFolder,
    follow: Annotated[bool, typer.Option("--follow", help="Go on while the run grows; serve results as PVs.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Measure again what was measured; new values name the old ones.")
    ] = False,
    longest_alone: LongestAlone = LONGEST_ALONE_S,
) -> None:
    """Reconstruct and measure the tomograms of a run.

    'operando run' starts it with --follow; afterwards it measures what is still missing.
    """
    from operando.session.serve import analyse_run

    raise typer.Exit(analyse_run(run, follow=follow, again=again, longest_alone_s=longest_alone, console=terminal()))
