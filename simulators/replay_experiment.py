"""The experiment that a recorded scan makes: one rest, one tomogram, the scan's own geometry."""

import re

import numpy as np

from simulators.recorded_counts import MAX_COUNT
from simulators.recorded_data import RecordedScan, RecordedScanError

FRAME_PERIOD_S = 0.1  # a recording does not say how fast it must be served
SAMPLE_OUT_MM = 10.0
MIN_ENERGY_KEV, MAX_ENERGY_KEV = 5.0, 500.0  # what the form takes
UNKNOWN_ENERGY_KEV = 30.0  # the file's form wants one; without [analysis] no result depends on it
MIN_PIXEL_UM, MAX_PIXEL_UM = 1e-3, 1e4  # nanotomography to industrial scanners, with room
PLACEHOLDER_PIXEL_UM = 1.0
MAX_UNEVENNESS = 0.1  # of a step; beyond it a person is told


def replay_experiment(
    scan: RecordedScan,
    pixel_size_um: float | None = None,
    *,
    energy_kev: float | None = None,
    name: str = "replay",
) -> str:
    """Return the text of an experiment file without [analysis] that takes the recorded tomogram once.

    Parameters
    ----------
    scan
        What was recorded.
    pixel_size_um, energy_kev
        Used where the scan does not say them; a pixel size given here goes before a recorded one. Where nobody knows
        it, pixels count as 1 um and the file says that their size is not known.
    name
        Name of the experiment, and so of its run directory.

    Raises
    ------
    RecordedScanError
        If no X-ray camera has the pixel size, or if flats are not brighter than darks.
    """
    said_um = pixel_size_um if pixel_size_um is not None else scan.pixel_size_um
    is_known = said_um is not None
    pixel_um = PLACEHOLDER_PIXEL_UM if said_um is None else said_um
    if not MIN_PIXEL_UM <= pixel_um <= MAX_PIXEL_UM:
        raise RecordedScanError(
            f"{scan.source}: a pixel size of {pixel_um:g} um was given; allowed is {MIN_PIXEL_UM:g} to "
            f"{MAX_PIXEL_UM:g} um."
        )
    energy = energy_kev if energy_kev is not None else scan.energy_kev
    beyond = energy is not None and not MIN_ENERGY_KEV <= energy <= MAX_ENERGY_KEV
    rows, columns = scan.frame_shape
    num_projections = scan.projections.shape[0]
    range_deg = min(float(np.ptp(scan.angles_deg)) * num_projections / (num_projections - 1), 360.0)
    notes = [f"Replay of {scan.source}", *scan.notes]
    if _uneven(scan):
        notes.append(
            "The recorded angles are uneven; the stage turns evenly over their range and meets each projection once."
        )
    if not is_known:
        notes.append(
            "The size of a pixel is not recorded: lengths are in pixels and attenuation is per pixel. "
            "Give --pixel-size to have real units."
        )
    if beyond:
        notes.append(f"The recorded energy, {energy:g} keV, is passed over: it is not that of X-rays through a cell.")
        energy = None
    if energy is None:
        notes.append(f"The energy is not known; {UNKNOWN_ENERGY_KEV:g} keV only fills the form.")
    comments = "\n".join(f"# {_one_line(note)}" for note in notes)
    exposure = f'exposure = "{FRAME_PERIOD_S:g} s"\nframe_period = "{FRAME_PERIOD_S:g} s"'
    return f"""{comments}

[experiment]
name = "{name}"
title = "Replay of a recorded scan"

# The replay has no cell; the form wants one, and its limits are wide.
[cell]
bore_diameter = "6 mm"
wall_outer_diameter = "16 mm"
wall_material = "PEEK"
active_material = "CuS"
active_mass = "1 mg"
theoretical_capacity = "561 mAh/g"
stack_pressure = "26 MPa"
lower_voltage = "0 V"
upper_voltage = "5 V"

[limits]
min_voltage = "-1 V"
max_voltage = "6 V"
max_current = "10 mA"
max_stack_pressure = "1000 MPa"
min_temperature = "-50 degC"
max_temperature = "200 degC"

[sampling]
in_tomogram = "1 s"
between_tomograms = "1 s"

[beam]
energy = "{energy if energy is not None else UNKNOWN_ENERGY_KEV:.10g} keV"
energy_known = {"true" if energy is not None else "false"}

[tomogram]
{exposure}
angle_range = "{range_deg:.10g} deg"
num_darks = {scan.darks.shape[0]}
num_flats = {scan.flats.shape[0]}
sample_out = "{SAMPLE_OUT_MM:g} mm"

# photons_per_pixel: counts above dark in the recorded flat, at one photon for each count.
[geometry.recorded]
num_columns = {columns}
num_rows = {rows}
pixel_size = "{pixel_um:.10g} um"
pixel_size_known = {"true" if is_known else "false"}
field_of_view = ["{columns * pixel_um / 1e3:.10g} mm", "{rows * pixel_um / 1e3:.10g} mm"]
num_projections = {num_projections}
photons_per_pixel = {_open_beam(scan):.6g}

[[schedule]]
step = "rest"
name = "rest"
duration = "10 s"
tomograms = [{{ name = "{name}", at = "end" }}]
"""


def _uneven(scan: RecordedScan) -> bool:
    steps_deg = np.diff(scan.angles_deg)
    return bool(np.any(np.abs(steps_deg - np.median(steps_deg)) > MAX_UNEVENNESS * abs(float(np.median(steps_deg)))))


def _open_beam(scan: RecordedScan) -> float:
    flat, dark = scan.flats.read(0).astype(np.float64), scan.darks.read(0).astype(np.float64)
    open_beam = float(np.median(flat) - np.median(dark))
    if open_beam <= 0:
        raise RecordedScanError(
            f"{scan.source}: flats (median {np.median(flat):g}) are not brighter than darks "
            f"(median {np.median(dark):g}). Were they taken for each other, or was the shutter closed?"
        )
    return min(max(open_beam, 1.0), MAX_COUNT)  # recorded values beyond a camera's counts are served scaled


def _one_line(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]+", " ", text)
