"""What an alignment found, for people: numbers with units, what to do about them, and the picture."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from live_analysis.alignment_picture import AlignmentView, alignment_picture, mirrored_about
from live_analysis.axis_of_pair import AxisOfPair, axis_of_pair
from live_analysis.normalisation import attenuation_integral, mean_frame, repair_pixels, transmission
from live_analysis.region_of_interest import RegionOfInterest, RegionOfInterestError, region_of_interest
from live_analysis.shot import MAX_COUNTS, ShotQuality, shot_quality
from operando.model.beamline import Beamline
from operando.model.declared_size import VOLUME, readable, readable_frames
from operando.model.experiment import Experiment
from operando.model.frames import IMAGES
from operando.model.run_directory import RunDirectory

if TYPE_CHECKING:
    from plans.alignment import AlignmentEnd

PICTURE = "alignment.png"
MAX_SATURATED = 1e-4
MIN_PART_OF_RANGE = 0.2  # of the camera's counts, in the flat
MIN_TRANSMISSION = 0.05
MAX_LEAN_COLUMNS = 1.0  # of the axis from top to bottom


@dataclass(frozen=True)
class PairLook:
    """Dark, flat and half-turn pair, as numbers and as arrays of shape (row, column)."""

    dark: ShotQuality
    flat: ShotQuality
    first: ShotQuality
    second: ShotQuality
    beam: NDArray[np.float32]
    transmission: NDArray[np.float32]
    difference: NDArray[np.float32]
    axis: AxisOfPair


def look_at_pair(dark: Path, flat: Path, first: Path, second: Path) -> PairLook:
    """Judge the frames in four files and find the rotation axis.

    Raises
    ------
    AxisOfPairError
        If the pair does not tell the axis.
    """
    darks, flats, firsts, seconds = (_frames(path) for path in (dark, flat, first, second))
    mean_dark, mean_flat = mean_frame(darks), mean_frame(flats)
    through = [transmission(mean_frame(frames), mean_flat, mean_dark) for frames in (firsts, seconds)]  # type: ignore[arg-type]
    integrals = [repair_pixels(attenuation_integral(frame).values).values for frame in through]
    axis = axis_of_pair(*integrals)
    return PairLook(
        shot_quality(darks),
        shot_quality(flats, dark=mean_dark),
        shot_quality(firsts, mean_flat, mean_dark),
        shot_quality(seconds, mean_flat, mean_dark),
        mean_flat - mean_dark,
        through[0],
        integrals[0] - mirrored_about(integrals[1], axis.column),
        axis,
    )


def report_alignment(
    look: PairLook,
    end: "AlignmentEnd",
    experiment: Experiment,
    geometry: str,
    beamline: Beamline,
    run: RunDirectory,
    console: Console,
    file: Path,
) -> None:
    """Print what was found and what to do, and write the picture into the run's report."""
    chosen = experiment.geometry[geometry]
    off_columns = look.axis.column - (chosen.num_columns - 1) / 2
    region, hindrance = None, ""
    try:
        region = region_of_interest(
            look.transmission,
            look.beam,
            axis_column=look.axis.column,
            pixel_size_um=chosen.pixel_size,
            bore_diameter_mm=experiment.cell.bore_diameter,
        )
    except RegionOfInterestError as error:
        hindrance = str(error)
    console.print(_counts_table(look))
    console.print(_axis_table(look, end, off_columns, chosen.pixel_size))
    if region is not None:
        console.print(_region_table(region, experiment, geometry, beamline))
        view = AlignmentView(look.transmission, look.difference, look.axis, region, chosen.pixel_size)
        title = f"Alignment for {experiment.experiment.name}, shots half a turn apart"
        picture = alignment_picture(view, title=title, mark="REHEARSAL" if beamline.rehearsal else "")
        (run.report / PICTURE).write_bytes(picture)
        console.print(f"Picture: {run.report / PICTURE}", markup=False, highlight=False, soft_wrap=True)
    advice = [hindrance, *_advice(look, end, off_columns, chosen.num_rows, file)]
    for sentence in filter(None, advice):
        console.print(sentence, style="yellow", markup=False, highlight=False)


def _frames(path: Path) -> NDArray[np.uint16]:
    with h5py.File(path, "r") as file:
        frames: NDArray[np.uint16] = readable(readable_frames(file[IMAGES]), VOLUME)[:]
    return frames


def _counts_table(look: PairLook) -> Table:
    table = Table("shot", title="Test shots", title_justify="left")
    for heading in ("frames", "mean, counts", "1 % to 99 %, counts", "saturated", "noise of one", "transmission"):
        table.add_column(heading, justify="right")
    for name, shot in (("dark", look.dark), ("flat", look.flat), ("0 deg", look.first), ("180 deg", look.second)):
        table.add_row(
            name,
            str(shot.num_frames),
            f"{shot.mean_counts:.0f}",
            f"{shot.low_counts:.0f} to {shot.high_counts:.0f}",
            f"{shot.saturated:.2%}",
            "" if np.isnan(shot.noise) else f"{shot.noise:.1%}",
            "" if np.isnan(shot.transmission) else f"{shot.transmission:.1%}",
        )
    return table


def _axis_table(look: PairLook, end: "AlignmentEnd", off_columns: float, pixel_size_um: float) -> Table:
    axis = look.axis
    table = Table("rotation axis", title="Alignment", title_justify="left")
    table.add_column("found", justify="right")
    table.add_column("unit")
    table.add_row("column", f"{axis.column:.2f} ± {axis.uncertainty:.2f}", "pixels")
    table.add_row("from the middle of the view", f"{off_columns:+.2f} ± {axis.uncertainty:.2f}", "pixels")
    table.add_row("", f"{off_columns * pixel_size_um:+.1f} ± {axis.uncertainty * pixel_size_um:.1f}", "um")
    tilt = (
        "too little texture to tell"
        if axis.tilt_deg is None
        else f"{axis.tilt_deg:+.2f} ± {axis.tilt_uncertainty_deg:.2f}"
    )
    table.add_row("tilt (+: to the right at the top)", tilt, "deg")
    table.add_row("agreement of the pair", f"{axis.confidence:.2f}", "of 1")
    table.add_row("sample_x stands at", f"{end.sample_in_mm:.4f}", "mm")
    if end.moved_mm:
        table.add_row("moved by", f"{end.moved_mm:+.4f}", "mm")
    return table


def _region_table(region: RegionOfInterest, experiment: Experiment, geometry: str, beamline: Beamline) -> Table:
    chosen, camera = experiment.geometry[geometry], beamline.camera
    table = Table("proposed region", title="Region of interest", title_justify="left")
    for heading in ("of the view, pixels", "number", "size, mm", "of the chip, unbinned"):
        table.add_column(heading, justify="right")
    for side, first, num, num_read, chip in (
        ("rows", region.first_row, region.num_rows, chosen.num_rows, camera.chip_rows),
        ("columns", region.first_column, region.num_columns, chosen.num_columns, camera.chip_columns),
    ):
        on_chip = (chip - num_read * chosen.binning) // 2 + first * chosen.binning
        table.add_row(
            side,
            f"{first} to {first + num - 1}",
            f"{num} of {num_read}",
            f"{num * chosen.pixel_size / 1e3:.3f}",
            f"{on_chip} to {on_chip + num * chosen.binning - 1}",
        )
    bore_mm, seen_mm = experiment.cell.bore_diameter, region.num_columns * chosen.pixel_size / 1e3
    table.caption = (
        f"The bore of {bore_mm:g} mm lies inside."
        if region.holds_bore
        else f"The bore of {bore_mm:g} mm is wider than what can be seen evenly about the axis ({seen_mm:.3f} mm): "
        "projections are truncated, and the bore-and-wall model makes up for it."
    )
    table.caption_justify = "left"
    return table


def _advice(look: PairLook, end: "AlignmentEnd", off_columns: float, num_rows: int, file: Path) -> list[str]:
    found = []
    flat, axis = look.flat, look.axis
    if max(flat.saturated, look.first.saturated, look.second.saturated) > MAX_SATURATED:
        found.append(f"{flat.saturated:.2%} of the flat's pixels are saturated: shorten tomogram.exposure.")
    elif flat.mean_counts < MIN_PART_OF_RANGE * MAX_COUNTS:
        found.append(
            f"The flat fills {flat.mean_counts / MAX_COUNTS:.0%} of 16 bits: a longer tomogram.exposure would lessen "
            "the noise, if the camera's own range and the frame period allow it."
        )
    if look.first.transmission < MIN_TRANSMISSION:
        found.append(
            f"Only {look.first.transmission:.1%} comes through the cell: consider a higher energy or a thinner wall."
        )
    if axis.tilt_deg is not None and axis.tilt_uncertainty_deg is not None:
        lean = np.tan(np.radians(axis.tilt_deg)) * num_rows
        if abs(lean) > MAX_LEAN_COLUMNS and abs(axis.tilt_deg) > 2 * axis.tilt_uncertainty_deg:
            found.append(
                f"The axis leans by {lean:+.1f} pixels from bottom to top: turn the camera or level the stage."
            )
    if end.moved_mm:
        found.append(
            f'Write sample_in = "{end.sample_in_mm:.4f} mm" into [tomogram] of {file}: tomograms are then taken there.'
        )
    elif abs(off_columns) > 2 * axis.uncertainty and abs(off_columns) > 1:
        found.append(
            "With --centre sample_x is moved until the axis is in the middle, and another pair proves it. "
            "The analysis finds the axis wherever it is; centred, both sides see equally far."
        )
    return found
