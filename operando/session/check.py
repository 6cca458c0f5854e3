"""Looking at an experiment before anything starts: what it will need, and what cannot be."""

import shutil
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.table import Table

from operando.model.beamline import Beamline, load_beamline
from operando.model.experiment import Experiment
from operando.model.experiment_file import load_experiment
from operando.model.number_text import duration_text
from operando.model.toml_file import FileFormatError
from operando.session.errors import EXIT_COMPLETE, RequestError


def chosen_geometry(experiment: Experiment, asked: str | None, *, rehearsal: bool, file: Path) -> str:
    """Return the geometry's name: the one asked for, else ``quick`` in a rehearsal, else the one with most pixels.

    Raises
    ------
    RequestError
        If the experiment file has no such geometry.
    """
    if asked is None and rehearsal and "quick" in experiment.geometry:
        return "quick"
    if asked is None:
        sizes = {name: chosen.num_columns * chosen.num_rows for name, chosen in experiment.geometry.items()}
        return max(sizes, key=lambda name: sizes[name])
    if asked not in experiment.geometry:
        known = ", ".join(experiment.geometry)
        raise RequestError(f"{file}: geometry.{asked}: is not in this file. Allowed here: {known}.")
    return asked


def simulated_beamline() -> Beamline:
    """Return the beamline file of a rehearsal, with ports that mean nothing yet."""
    import tempfile

    from simulators.beamline_file import Ports, beamline_text
    from simulators.load_cell import FULL_SCALE_N, calibration

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "beamline.toml"
        path.write_text(
            beamline_text(
                Path(folder), Ports(*range(20000, 20007)), full_scale_n=FULL_SCALE_N, calibration=calibration()
            )
        )
        return load_beamline(path)


def refuse_what_cannot_be(
    experiment_file: Path,
    experiment: Experiment,
    geometry: str,
    *,
    beamline_file: Path | None,
    directory: Path | None,
    replayed: bool,
) -> None:
    """Refuse an experiment that cannot work on its beamline, or whose simulated cell cannot be read.

    Raises
    ------
    RequestError
        With one sentence per reason.
    FileFormatError
        If the beamline's or the cell's file is not what it must be.
    """
    from plans.check import check, space_refusal

    if beamline_file is None and not replayed:
        _refuse_unknown_cell(experiment_file, experiment)
    beamline = simulated_beamline() if beamline_file is None else load_beamline(beamline_file)
    free_bytes = _free_bytes(directory or Path("runs"))
    found = check(experiment, geometry, beamline, disk_free_bytes=free_bytes)
    if replayed:  # the recorded scan is its own camera and sample
        refusals = space_refusal(found.raw_bytes, free_bytes)
    else:
        refusals = [f"{experiment_file}: {sentence}" for sentence in found.refusals]
    if refusals:
        raise RequestError("\n".join(refusals))


def check_experiment(file: Path, beamline_file: Path | None, geometry: str | None, console: Console) -> int:
    """Print what an experiment will need; return the exit code.

    Raises
    ------
    RequestError, FileFormatError
        If it cannot work.
    """
    from plans.check import check

    experiment = load_experiment(file)
    rehearsal = beamline_file is None
    chosen = chosen_geometry(experiment, geometry, rehearsal=rehearsal, file=file)
    refuse_what_cannot_be(file, experiment, chosen, beamline_file=beamline_file, directory=None, replayed=False)
    beamline = simulated_beamline() if beamline_file is None else load_beamline(beamline_file)
    found = check(experiment, chosen, beamline, disk_free_bytes=_free_bytes(Path("runs")))
    table = Table(title=f"{experiment.experiment.title} ({chosen})", title_justify="left")
    for heading in ("step", "cycle"):
        table.add_column(heading)
    for heading in ("begins after", "takes", "tomograms"):
        table.add_column(heading, justify="right")
    for repeated, group in groupby(found.timeline, key=lambda step: step.cycle > 1 and not step.num_tomograms):
        steps = list(group)
        rows = [steps] if repeated and len(steps) > 1 else [[step] for step in steps]
        for row in rows:
            at_most = "at most " if any(step.ends_at_voltage for step in row) else ""
            table.add_row(
                row[0].name if len(row) == 1 else f"{len(row)} more like these",
                str(row[0].cycle) if len(row) == 1 else f"{row[0].cycle} to {row[-1].cycle}",
                duration_text(row[0].begin_s),
                f"{at_most}{duration_text(sum(step.duration_s for step in row))}",
                str(sum(step.num_tomograms for step in row)),
            )
    console.print(table)
    for sentence in (*found.sentences, "The guard watches:", *(f"  {rule.text}" for rule in experiment.limits.rules)):
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    if rehearsal:
        console.print(
            f"Rehearsed on this machine it takes about {duration_text(found.rehearsal_wall_s)}.", highlight=False
        )
    return EXIT_COMPLETE


def _refuse_unknown_cell(experiment_file: Path, experiment: Experiment) -> None:
    from simulators.cell_parameters import load_cell

    if experiment.rehearsal is None:
        raise FileFormatError(
            f"{experiment_file}: rehearsal: is missing, so no cell can be simulated. "
            "Add a [rehearsal] table with the cell's file and a seed, or give --beamline."
        )
    cell_file = experiment_file.parent / experiment.rehearsal.cell
    if not cell_file.is_file():
        raise FileFormatError(
            f"{experiment_file}: rehearsal.cell = {experiment.rehearsal.cell!r}: {cell_file} is no file. "
            "Give the path of a cell file, relative to this file."
        )
    simulated_kev = load_cell(cell_file).beam.energy.value
    if abs(simulated_kev - experiment.beam.energy) > 0.01 * simulated_kev:
        raise RequestError(
            f"{experiment_file}: beam.energy = {experiment.beam.energy:g} keV: but {cell_file} simulates "
            f"{simulated_kev:g} keV. Write the same energy into both."
        )


def _free_bytes(directory: Path) -> int:
    existing = next(path for path in (directory.resolve(), *directory.resolve().parents) if path.exists())
    return shutil.disk_usage(existing).free
