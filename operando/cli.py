"""The command line: how a person starts, watches, asks and reads a run."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from operando.model.attendance import LONGEST_ALONE_S
from operando.session.lasting_console import LastingConsole

application = typer.Typer(
    name="operando",
    help="Run, rehearse and watch operando tomography of solid-state battery cells.\n\n"
    "Begin with: operando run experiments/cus_26mpa.toml (a rehearsal on simulated hardware), "
    "then operando watch or operando monitor in a second terminal.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ExperimentFile = Annotated[Path, typer.Argument(metavar="FILE", help="Experiment file (TOML).")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Run directory, as made by 'operando run'.")]
OptionalRun = Annotated[Path | None, typer.Argument(metavar="RUN", help="Run directory; the newest one if left out.")]
OptionalRuns = Annotated[
    list[Path] | None, typer.Argument(metavar="RUN", help="Run directories; the newest one if left out.")
]
Quick = Annotated[
    bool, typer.Option("--quick", help="640 x 112 pixels of 3.52 um, 360 projections (a rehearsal's default).")
]
Full = Annotated[bool, typer.Option("--full", help="1932 x 256 pixels of 1.76 um, 2256 projections.")]
FullFrame = Annotated[bool, typer.Option("--full-frame", help="1932 x 1307 pixels of 1.76 um, 2256 projections.")]
BeamlineFile = Annotated[
    Path | None,
    typer.Option("--beamline", metavar="BEAMLINE", help="Beamline file; without it the run is a rehearsal."),
]
RunDir = Annotated[
    Path | None, typer.Option("--run-dir", metavar="DIR", help="Where the run goes (default: runs/<start>_<name>).")
]
AngleUnit = Annotated[str | None, typer.Option("--angle-unit", help="deg or rad, if the recorded scan does not say.")]
LongestAlone = Annotated[
    float,
    typer.Option("--longest-alone", hidden=True, help="End a rehearsal's processes so many s after their last client."),
]
FaultFile = Annotated[
    Path | None, typer.Option("--faults", metavar="FILE", help="What goes wrong in the simulated beamline (TOML).")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table for people.")]


def _console(kind: type[Console] = Console) -> Console:
    """Return the terminal; a pipe or a file gets lines long enough for tables.

    What is printed comes from files and instruments: ``[x]`` is no markup, ``:camera:`` no picture.
    """
    console = kind(markup=False, emoji=False)
    return console if console.is_terminal else kind(markup=False, emoji=False, width=120)


def _geometry(quick: bool, full: bool, full_frame: bool) -> str | None:
    chosen = [name for name, asked in (("quick", quick), ("full", full), ("full_frame", full_frame)) if asked]
    if len(chosen) > 1:
        raise typer.BadParameter("choose one of --quick, --full and --full-frame")
    return chosen[0] if chosen else None


@application.command()
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

    geometry = _geometry(quick, full, full_frame)
    request = RunRequest(
        file, beamline, geometry, run_dir, seed, epoch_s=epoch, longest_alone_s=longest_alone, faults=faults
    )
    raise typer.Exit(run_experiment(request, _console(LastingConsole)))


@application.command()
def resume(run: RunFolder) -> None:
    """Go on with a run that was killed, stopped or failed.

    It goes on where the cell really is. What lives of the run is used, what was left running is stopped, what was left
    open is closed and told. No tomogram is taken twice; what was missed meanwhile is recorded as missed.
    'operando status RUN' says beforehand what it will do.
    Exit code: 0 complete, 1 not complete, 2 refused before anything was asked of the cell, 130 stopped by a person.
    """
    from operando.session.resume import resume_run

    raise typer.Exit(resume_run(run, _console(LastingConsole)))


@application.command()
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

    request = AlignRequest(file, beamline, _geometry(quick, full, full_frame), run_dir, seed, num_frames, centre)
    raise typer.Exit(align_beamline(request, _console(LastingConsole)))


@application.command()
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

    raise typer.Exit(check_experiment(file, beamline, _geometry(quick, full, full_frame), _console()))


@application.command()
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


@application.command()
def guard(
    run: RunFolder,
    stop_cell: Annotated[bool, typer.Option("--stop-cell", help="Bring the cell to open circuit when ended.")] = False,
    longest_alone: LongestAlone = LONGEST_ALONE_S,
) -> None:
    """Guard the cell of a run: sample, log, enforce limits.

    One guard per run directory; 'operando run' starts it and starts it again if it dies. To end a beamline's guard and
    leave the cell at open circuit, begin it with --stop-cell and send SIGTERM or Ctrl-C.
    """
    from operando.session.serve import guard_cell

    raise typer.Exit(guard_cell(run, stop_cell=stop_cell, longest_alone_s=longest_alone))


@application.command()
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

    raise typer.Exit(analyse_run(run, follow=follow, again=again, longest_alone_s=longest_alone, console=_console()))


@application.command()
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

    raise typer.Exit(replay_scan(path, pixel_size, angle_unit, run_dir, _console(LastingConsole)))


@application.command()
def monitor(
    run: OptionalRun = None,
    headless: Annotated[
        Path | None,
        typer.Option("--headless", metavar="PNG", help="Draw the window into a PNG file, without a display."),
    ] = None,
) -> None:
    """Open the monitor window on a run; it never commands anything."""
    from operando.session.looking import look_at

    look_at("window", run, *([] if headless is None else ["--headless", str(headless)]))


@application.command()
def watch(
    run: OptionalRun = None,
    once: Annotated[bool, typer.Option("--once", help="Print once and end.")] = False,
) -> None:
    """Show the essentials of a run in the terminal."""
    from operando.session.looking import look_at

    look_at("watch", run, *(["--once"] if once else []))


@application.command()
def results(run: OptionalRun = None, json: AsJson = False) -> None:
    """Print what was measured, beside the published numbers."""
    from operando.session.reading import print_results

    print_results(run, _console(), json=json)


@application.command()
def compare(runs: OptionalRuns = None, json: AsJson = False) -> None:
    """Print published, true and measured values side by side.

    Numbers of one publication may need several experiments: give all their runs. What was really there is known in
    rehearsals only.
    """
    from operando.session.reading import print_comparison

    print_comparison(runs or [], _console(), json=json)


@application.command()
def report(
    run: RunFolder,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Where it goes (default: RUN/report).")
    ] = None,
    truth: Annotated[bool, typer.Option("--truth", help="Of a rehearsal: also print what was really there.")] = False,
) -> None:
    """Write a page about a run that opens without this software.

    index.html holds what was done, slices, numbers beside the published ones, data quality and provenance; tables for
    programs lie beside it. A run that goes on, or was cut off, is told as far as it came.
    """
    from operando.session.reporting import report_run

    report_run(run, output, _console(), with_truth=truth)


@application.command()
def export(
    run: RunFolder,
    tomogram: Annotated[
        str, typer.Argument(metavar="TOMOGRAM", help="Name (its last attempt is taken) or number of an attempt.")
    ],
    file_format: Annotated[str, typer.Option("--format", help="dxfile: Data Exchange, as tomopy reads it.")] = "dxfile",
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="New file (default: in RUN/tomograms).")
    ] = None,
    linked: Annotated[
        bool, typer.Option("--linked", help="Leave the images in the run and refer to them; do not move the file.")
    ] = False,
) -> None:
    """Write one tomogram for other programs.

    A Data Exchange file holds exchange/data, data_white, data_dark and theta; 'operando replay' reads it too. NXtomo
    files of all tomograms are in RUN/tomograms already.
    """
    from operando.session.export import export_tomogram

    raise typer.Exit(export_tomogram(run, tomogram, _console(), file_format=file_format, output=output, linked=linked))


@application.command()
def reconstruct(
    source: Annotated[
        Path,
        typer.Argument(metavar="SOURCE", help="Run directory, NXtomo or Data Exchange file, or folder of TIFFs."),
    ],
    tomogram: Annotated[
        str | None, typer.Argument(metavar="TOMOGRAM", help="Of a run: name or number of an attempt.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR.zarr", help="Where the volume goes (default: beside SOURCE).")
    ] = None,
    engine: Annotated[str, typer.Option("--engine", help="Reconstruction engine.")] = "native",
    rows: Annotated[str | None, typer.Option("--rows", metavar="A:B", help="Only these detector rows.")] = None,
    region: Annotated[
        str | None, typer.Option("--region", metavar="X0:X1,Y0:Y1", help="Only these voxels of every slice.")
    ] = None,
    axis: Annotated[
        float | None, typer.Option("--axis", metavar="COLUMN", help="Rotation axis, instead of finding it.")
    ] = None,
    pixel_size: Annotated[
        str | None, typer.Option("--pixel-size", help="Pixel size in the sample, as in '2.5 um', if none is recorded.")
    ] = None,
    angle_unit: AngleUnit = None,
    keep_stripes: Annotated[
        bool, typer.Option("--keep-stripes", help="Leave stripes of the sinograms (rings) as they are.")
    ] = False,
    levels: Annotated[int | None, typer.Option("--levels", min=1, max=12, help="Levels of the pyramid.")] = None,
    noise: Annotated[bool, typer.Option("--noise", help="Also write the standard uncertainty of every voxel.")] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Also with less than three quarters of the half turn.")
    ] = False,
    memory: Annotated[
        str | None, typer.Option("--memory", help="What may be used (default: half of what is free, at most 8GB).")
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Threads (default: all cores).")] = None,
    again: Annotated[bool, typer.Option("--again", help="Throw a volume away that is there, and begin anew.")] = False,
    dask: Annotated[
        str | None, typer.Option("--dask", metavar="ADDRESS", help="Let workers of this Dask scheduler make the slabs.")
    ] = None,
) -> None:
    """Reconstruct a whole volume from frames on disk.

    Slab by slab, with memory that does not grow with the number of slices, to OME-Zarr in 1/cm. Whoever was interrupted
    or killed gives the same command again: it goes on with the slabs that are missing.
    Exit code: 0 complete, 2 cannot be done as asked, 130 stopped by a person.
    """
    from operando.session.reconstructing import ReconstructRequest
    from operando.session.reconstructing import reconstruct as reconstruct_volume
    from operando.session.volume_options import volume_settings

    settings = volume_settings(
        engine,
        rows,
        region,
        axis,
        pixel_size,
        partial=partial,
        keep_stripes=keep_stripes,
        noise=noise,
        levels=levels,
    )
    request = ReconstructRequest(source, tomogram, out, settings, memory, threads, angle_unit, again, dask)
    raise typer.Exit(reconstruct_volume(request, _console(LastingConsole)))


@application.command()
def phases(
    volume: Annotated[
        Path,
        typer.Argument(metavar="VOLUME", help="TIFF (or folder of slices), OME-Zarr, HDF5 (FILE.h5:/NAME) or .npy."),
    ],
    classes: Annotated[
        int | None, typer.Option("--classes", metavar="N", help="Divide grey values into 2 to 5 classes (usually 3).")
    ] = None,
    labels: Annotated[
        bool, typer.Option("--labels", help="Values are phases already (so taken if there are at most 8 whole ones).")
    ] = False,
    voxel_size: Annotated[
        str | None, typer.Option("--voxel-size", help="As in '1.76 um', if the file does not say.")
    ] = None,
    axis: Annotated[str | None, typer.Option("--axis", help="Also print fractions of layers along z, y or x.")] = None,
    connectivity: Annotated[
        int, typer.Option("--connectivity", help="Neighbours that hang together: 6, 18 or 26.")
    ] = 6,
    median: Annotated[
        bool, typer.Option("--median", help="Take the median of 3 x 3 x 3 voxels before dividing: less noise.")
    ] = False,
    memory: Annotated[
        str | None, typer.Option("--memory", help="What may be used (default: half of what is free, at most 8GB).")
    ] = None,
    json: AsJson = False,
) -> None:
    """Divide a volume into phases and measure them.

    Fractions with their uncertainty, what is connected from face to face, what is isolated, surface areas, components.
    Exit code: 0 done, 2 cannot be done as asked, 130 stopped by a person.
    """
    from operando.session.phases import PhasesRequest, print_phases

    request = PhasesRequest(volume, classes, labels, voxel_size, axis, connectivity, median, memory)
    raise typer.Exit(print_phases(request, _console(LastingConsole), json=json))


@application.command()
def ask(
    run: RunFolder,
    what: Annotated[
        str,
        typer.Argument(
            metavar="tomogram|skip|note|stop-after|edit|clear-trip", help="What is asked of the running experiment."
        ),
    ],
    argument: Annotated[
        str,
        typer.Argument(
            metavar="TEXT",
            help="Name of the tomogram or step, text of the note, file of the steps to come, or why the cell is safe.",
        ),
    ] = "",
    person: Annotated[str, typer.Option("--person", help="Who asks.")] = "",
) -> None:
    """Ask a running experiment for something.

    operando ask RUN tomogram [NAME]: one more tomogram, now. operando ask RUN note TEXT: a line in the cell's log.
    operando ask RUN skip [NAME]: leave out a step or tomogram that is to come; without a name end the present step.
    operando ask RUN stop-after STEP: end after that step, or after 'tomogram', the present one.
    operando ask RUN edit FILE: put the [[schedule]] of FILE in the place of all steps that have not begun.
    operando ask RUN clear-trip REASON: let the guard accept techniques again; it refuses while the danger is there.
    """
    from operando.session.asking import ask_run

    raise typer.Exit(ask_run(run, what, argument, person, _console()))


@application.command()
def inject(
    run: RunFolder,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="As in a file of faults: beam_loss, lost_frames ...")],
    options: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Its parameters, as in duration='30 s'.")
    ] = None,
) -> None:
    """Let something go wrong in a rehearsal that runs.

    operando inject RUN beam_loss duration='30 s' at='projection 20'. What was done, and when, is written to
    RUN/simulation/faults.jsonl, which the product never reads. Exit code: 0 accepted, 2 refused.
    """
    from operando.session.injecting import inject as inject_fault
    from operando.session.injecting import parsed

    numbers = inject_fault(run, parsed(kind, options or []))
    _console().print(f"fault {', '.join(map(str, numbers))}: accepted")


@application.command()
def status(
    parent: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of runs, or one run.")] = Path("runs"),
) -> None:
    """Say which runs there are and which processes live.

    Of one run also what 'operando resume' would find and do. It looks only. Exit code: 0, or 2 if there is no such run.
    """
    from operando.session.status import print_status

    print_status(parent, _console())


@application.command()
def devices(
    beamline: Annotated[Path, typer.Argument(metavar="BEAMLINE|RUN", help="Beamline file, or a run directory.")],
) -> None:
    """Connect to every device and print what it reads."""
    from operando.session.device_table import print_devices

    raise typer.Exit(print_devices(beamline, _console()))


def main() -> None:
    """Run the command line; mistakes of a person end with exit code 2 and a sentence each."""
    from operando.session.errors import EXIT_MISTAKE, EXIT_STOPPED, PERSONS_MISTAKES

    try:
        application(prog_name="operando")
    except SystemExit as ending:
        if ending.code == EXIT_STOPPED:  # it stays so for whoever presses Ctrl-C twice
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise
    except PERSONS_MISTAKES as error:
        for sentence in str(error).splitlines():
            Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False).print(sentence)
        sys.exit(EXIT_MISTAKE)


if __name__ == "__main__":
    main()
