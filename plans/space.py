"""Room on the disk for the frames that are to come: asked for before each tomogram, told when it is missing."""

import shutil
from pathlib import Path

from operando.model.experiment import Experiment
from operando.model.schedule import step_key
from plans.check import BYTES_PER_PIXEL, cell_s
from plans.schedule_journal import ScheduleJournal
from plans.tomogram_scan import TomogramScan
from plans.triggers import at_end, at_voltages, timed

RESERVE_BYTES = 20_000_000  # for journals, the guard's log and what is measured of one tomogram; assumption


class DiskFullError(RuntimeError):
    """There is no room for the next tomogram."""


def require_space(
    folder: Path, name: str, scan: TomogramScan, experiment: Experiment, journal: ScheduleJournal
) -> None:
    """Refuse to begin a tomogram whose frames the disk cannot take.

    Raises
    ------
    DiskFullError
        With what it needs, what all that are to come need, and what there is.
    """
    free = shutil.disk_usage(folder).free
    if free < tomogram_bytes(scan) + RESERVE_BYTES:
        needed = space_sentence(folder, scan, num_tomograms_to_come(experiment, journal))
        raise DiskFullError(f"No room for tomogram {name}: {needed}")


def space_sentence(folder: Path, scan: TomogramScan, num_to_come: int | None = None) -> str:
    """Say how much room a tomogram needs, how much all that are to come if their number is known, and what there is."""
    one, free = tomogram_bytes(scan) + RESERVE_BYTES, shutil.disk_usage(folder).free
    all_of_them = "" if num_to_come is None else f", the {num_to_come} that are to come {_gb(num_to_come * one)}"
    return (
        f"one tomogram needs {_gb(one)}{all_of_them}; {_gb(free)} are free in {folder}. "
        f"Make room there, then go on with: operando resume {folder}"
    )


def tomogram_bytes(scan: TomogramScan) -> int:
    """Return the size of the frames of one tomogram."""
    return sum(scan.num_frames.values()) * scan.num_rows * scan.num_columns * BYTES_PER_PIXEL


def num_tomograms_to_come(experiment: Experiment, journal: ScheduleJournal) -> int:
    """Return how many tomograms of the schedule are not over; a step that ends at a voltage may have fewer."""
    number = 0
    for cycle, step in experiment.steps:
        if not journal.is_over("step", step_key(step.name, cycle)):
            due = (*at_voltages(step, cycle), *at_end(step, cycle), *timed(step, cycle, cell_s(experiment, step)))
            number += sum(not journal.is_over("tomogram", tomogram.name) for tomogram in due)
    return number


def _gb(num_bytes: int) -> str:
    return f"{num_bytes / 1e9:.3g} GB"
