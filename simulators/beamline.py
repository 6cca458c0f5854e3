"""Starts a simulated beamline from an experiment file: chooses ports, writes the beamline file, serves."""

import asyncio
import importlib
import math
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from operando.model.attendance import LONGEST_ALONE_S
from operando.model.channel_access import prepare, server_environment
from operando.model.clock import ClockPage, SystemClock
from operando.model.experiment import Experiment
from operando.model.experiment_file import load_experiment
from operando.model.json_lines import JsonLinesWriter, read_json_lines
from simulators.beamline_file import CHIP_COLUMNS, CHIP_ROWS, PAGE, Ports, beamline_text
from simulators.bookkeeping import after_answers
from simulators.clock_participant import ROLES
from simulators.faults.fault_file import load_faults
from simulators.past import PAST_FILE, Past, read_past
from simulators.ports import free_ports

if TYPE_CHECKING:
    from simulators.beamline_process import Contents
    from simulators.camera import Chip

BEAMLINE_FILE = "beamline.toml"
TRUTH_FILE = "truth.jsonl"
_PROJECTION_FILE = re.compile(r"^(\d+)_projection$")


class SimulationError(ValueError):
    """An experiment file that cannot be rehearsed."""


def run_simulated_beamline(
    experiment_file: Path,
    geometry: str,
    directory: Path,
    *,
    seed: int | None = None,
    epoch_s: float | None = None,
    goes_on: bool = False,
    cell_file: Path | None = None,
    recorded_scan: Path | None = None,
    angle_unit: str | None = None,
    await_all: bool = False,
    roles: Sequence[str] = ROLES,
    longest_alone_s: float = LONGEST_ALONE_S,
    faults: Path | None = None,
) -> None:
    """Serve a simulated beamline until SIGTERM, SIGINT or too long a time without anybody; prints ``READY <file>``.

    Call it once in a process of its own, before anything there imported ophyd, epics or caproto.

    Parameters
    ----------
    experiment_file
        What is rehearsed; its [rehearsal] names the cell.
    geometry
        Name of one of its geometries.
    directory
        Where beamline file, clock page, load cell's link and truth are written; it is made if absent.
    seed
        Of cell and noise instead of the experiment file's.
    epoch_s
        Virtual time at the beginning, in s since the Unix epoch; the host's time if not given. A beamline that goes on
        begins where its clock stood, and not before this time.
    goes_on
        Go on with the cell of the beamline that served from this directory before: its instruments have done since
        what they were told, and no time has passed while nobody simulated them.
    cell_file
        File of the cell instead of the one that the experiment file names.
    recorded_scan
        Scan to be replayed instead of a rendered cell.
    angle_unit
        ``deg`` or ``rad`` where the scan does not say.
    await_all
        Let time begin when all of ``roles`` have joined, as in a rehearsal.
    roles
        Who must wait before time jumps; an alignment has no guard.
    longest_alone_s
        Of the host's time; it ends so long after its last client.
    faults
        File of what goes wrong.

    Raises
    ------
    FileFormatError
        If a file is not what it must be.
    SimulationError
        If the experiment has no such geometry or does not name a cell, or there is nothing to go on with.
    """
    experiment = load_experiment(experiment_file)
    if geometry not in experiment.geometry:
        raise SimulationError(
            f"{experiment_file}: there is no geometry {geometry!r}; there are {', '.join(experiment.geometry)}."
        )
    chosen_faults = () if faults is None else load_faults(faults)
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    ports = Ports(*free_ports(7))
    prepare(server_environment(ports.instruments))
    _load_ophyd_for_its_names()
    if seed is None:
        seed = 0 if experiment.rehearsal is None else experiment.rehearsal.seed
    past = _past(directory) if goes_on else None
    if past is None:
        (directory / PAST_FILE).unlink(missing_ok=True)
        epoch_s = float(round(SystemClock().now() if epoch_s is None else epoch_s))
    else:
        epoch_s = max(past.last_s, ClockPage(directory / PAGE).written_s, epoch_s or 0.0)
    if recorded_scan is None:
        make_contents = _rendered(experiment, experiment_file, cell_file, geometry, directory, seed, goes_on=goes_on)
    else:
        make_contents = _recorded(experiment, geometry, recorded_scan, angle_unit)

    from simulators.beamline_process import SimulatedBeamline
    from simulators.load_cell import FULL_SCALE_N, calibration

    beamline = SimulatedBeamline(
        directory,
        ports,
        epoch_s=epoch_s,
        seed=seed,
        make_contents=make_contents,
        past=past,
        await_all=await_all,
        roles=roles,
        longest_alone_s=longest_alone_s,
        faults=chosen_faults,
    )
    path = directory / BEAMLINE_FILE
    path.write_text(
        beamline_text(directory, ports, full_scale_n=FULL_SCALE_N, calibration=calibration()), encoding="utf-8"
    )
    asyncio.run(beamline.run(lambda: print(f"READY {path}", flush=True)))


def _load_ophyd_for_its_names() -> None:
    """Import ophyd without a library of Channel Access: its classes are only read for the names of their signals.

    No process that is started from this one inherits that.
    """
    os.environ["OPHYD_CONTROL_LAYER"] = "dummy"
    importlib.import_module("ophyd")
    del os.environ["OPHYD_CONTROL_LAYER"]


def _past(directory: Path) -> Past:
    found = read_past(directory / PAST_FILE)
    if found is None or not (directory / PAGE).is_file():
        raise SimulationError(f"{directory}: no simulated beamline has served from here that one could go on with.")
    return found


def _told_until_s(path: Path) -> float:
    """Return the last command of which the truth is told already."""
    entries = [entry for entry in read_json_lines(path) if isinstance(entry, dict) and "attempt" not in entry]
    return max((float(entry["time_s"]) for entry in entries), default=-math.inf)


def _rendered(
    experiment: Experiment,
    experiment_file: Path,
    cell_file: Path | None,
    name: str,
    directory: Path,
    seed: int,
    *,
    goes_on: bool,
) -> "Callable[[float], Contents]":
    from simulators.beamline_process import Contents
    from simulators.cell_frames import CellFrames
    from simulators.cell_parameters import load_cell
    from simulators.cell_twin import CellTwin
    from simulators.detector import Detector
    from simulators.phantom import Phantom
    from simulators.projector import Projector
    from simulators.truth import CellTruth, curve_truth, truth

    if experiment.rehearsal is None:
        raise SimulationError(f"{experiment_file}: has no [rehearsal], so there is no cell to simulate. Add it.")
    parameters = load_cell(cell_file or experiment_file.parent / experiment.rehearsal.cell)
    geometry = experiment.geometry[name]

    def contents(epoch_s: float) -> Contents:
        told_s = _told_until_s(directory / TRUTH_FILE) if goes_on else -math.inf
        truths = JsonLinesWriter(directory / TRUTH_FILE)

        def write_commanded(time_s: float) -> None:
            true = cell_truth.at(time_s)
            if time_s > told_s:  # a beamline that goes on obeys its past once more
                truths.append(true, durable=False)

        twin = CellTwin(parameters, epoch_s, lambda time_s: after_answers(lambda: write_commanded(time_s)))
        bends = curve_truth(parameters)
        cell_truth = CellTruth(twin, epoch_s, bends["pressure_slope_break"])
        true = cell_truth.at(epoch_s)
        if epoch_s > told_s:
            truths.append({**true, **bends})
        phantom = Phantom(parameters, seed)
        imaging = geometry.imaging
        axis_column = (imaging.num_columns - 1) / 2 + parameters.beam.axis_offset.value / imaging.pixel_size_um
        source = CellFrames(
            twin.state,
            phantom,
            Projector(imaging, axis_column=axis_column),
            Detector(imaging, parameters.beam, photons_per_pixel=geometry.photons_per_pixel, seed=seed),
            nominal_exposure_s=experiment.tomogram.exposure,
        )

        def write_truth(path: Path, num_frames: int, middle_s: float) -> None:
            match = _PROJECTION_FILE.match(path.stem)
            if match is None or experiment.analysis is None:
                return
            truths.append(
                {
                    "attempt": int(match.group(1)),
                    "time_s": middle_s,
                    "num_frames": num_frames,
                    "voltage_v": twin.reading(middle_s).voltage_v,
                    "stack_pressure_mpa": twin.stack_pressure_mpa(middle_s),
                    "capacity": twin.capacity_mah_per_g(middle_s),
                    **truth(phantom, twin.state(middle_s), experiment.analysis.region.region),
                }
            )

        return Contents(twin, source, _chip(experiment, name), write_truth)

    return contents


def _recorded(experiment: Experiment, name: str, scan: Path, angle_unit: str | None) -> "Callable[[float], Contents]":
    from simulators.beamline_process import Contents
    from simulators.dummy_cell import DummyCell
    from simulators.recorded_data import AngleUnit
    from simulators.recorded_frames import RecordedFrames
    from simulators.recorded_scan import load_recorded_scan

    unit = None if angle_unit is None else AngleUnit(angle_unit)
    source = RecordedFrames(
        load_recorded_scan(scan, angle_unit=unit),
        sample_out_mm=experiment.tomogram.sample_out,
        step_deg=experiment.tomogram.angle_range / experiment.geometry[name].num_projections,
    )
    return lambda epoch_s: Contents(DummyCell(epoch_s), source, _chip(experiment, name), lambda *_: None)


def _chip(experiment: Experiment, name: str) -> "Chip":
    from simulators.camera import Chip

    geometry = experiment.geometry[name]
    columns, rows = geometry.num_columns * geometry.binning, geometry.num_rows * geometry.binning
    return Chip(max(CHIP_COLUMNS, columns), max(CHIP_ROWS, rows), geometry.binning, columns, rows)
