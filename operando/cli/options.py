"""What several commands ask for in the same words, and the terminal that they print on."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

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


def terminal(kind: type[Console] = Console) -> Console:
    """Return the terminal; a pipe or a file gets lines long enough for tables.

    What is printed comes from files and instruments: ``[x]`` is no markup, ``:camera:`` no picture.
    """
    console = kind(markup=False, emoji=False)
    return console if console.is_terminal else kind(markup=False, emoji=False, width=120)


def geometry_of(quick: bool, full: bool, full_frame: bool) -> str | None:
    """Return the name of the geometry that was asked for, None if none was.

    Raises
    ------
    typer.BadParameter
        If several were.
    """
    chosen = [name for name, asked in (("quick", quick), ("full", full), ("full_frame", full_frame)) if asked]
    if len(chosen) > 1:
        raise typer.BadParameter("choose one of --quick, --full and --full-frame")
    return chosen[0] if chosen else None
