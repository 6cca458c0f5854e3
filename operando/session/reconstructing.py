"""Reconstructing a whole volume from frames on disk: what is asked, what is told, how to go on after Ctrl-C."""

from dataclasses import dataclass, field
from pathlib import Path

import numba
from rich.console import Console

from live_analysis.corrections.phase import PhaseError, filter_length_um
from live_analysis.engines.registry import EngineError, engine_named
from live_analysis.final_volume.declared import Declared
from live_analysis.final_volume.making import MadeVolume, begin_or_go_on, make_slabs
from live_analysis.final_volume.ome_zarr import NOISE
from live_analysis.final_volume.plan import VolumeSettings
from live_analysis.final_volume.raw_scan import RawScan, VolumeError
from live_analysis.final_volume.run_scan import scan_of_run
from live_analysis.final_volume.slab_journal import only_writer
from live_analysis.region_volume import rows_of
from operando.model.experiment import Experiment
from operando.model.experiment_file import load_experiment
from operando.model.materials import MaterialError, attenuation_per_cm
from operando.model.run_directory import RunDirectory
from operando.session.angle_unit import chosen_angle_unit
from operando.session.errors import EXIT_COMPLETE, EXIT_STOPPED, RequestError
from operando.session.export import find_tomogram
from operando.session.interrupt import Interrupted, one_interrupt
from operando.session.layout import open_run_directory
from operando.session.recorded_raw_scan import raw_scan
from operando.session.slab_progress import SlabProgress
from operando.session.volume_options import memory_to_use
from simulators.recorded_data import RecordedScanError
from simulators.recorded_scan import load_recorded_scan


@dataclass(frozen=True)
class ReconstructRequest:
    """What a person asks on the command line."""

    source: Path
    tomogram: str | None
    out: Path | None
    settings: VolumeSettings
    memory: str | None
    num_threads: int | None
    angle_unit: str | None
    again: bool
    dask: str | None


@dataclass(frozen=True)
class _Known:
    """A scan, where its volume goes by default, and what its experiment file says of the cell."""

    scan: RawScan
    out: Path
    declared: Declared = field(default_factory=Declared)


def reconstruct(request: ReconstructRequest, console: Console) -> int:
    """Make a volume or go on with one; return the exit code.

    Raises
    ------
    RequestError
        If it cannot be made as asked.
    """
    memory_bytes = memory_to_use(request.memory)
    num_threads = request.num_threads or numba.config.NUMBA_NUM_THREADS
    if not 1 <= num_threads <= numba.config.NUMBA_NUM_THREADS:
        raise RequestError(f"--threads {num_threads}: give 1 to {numba.config.NUMBA_NUM_THREADS}.")
    numba.set_num_threads(num_threads)
    try:
        known = _known(request)
        out = request.out or known.out
        engine = engine_named(request.settings.engine, num_threads=num_threads)
        volume = None
        with only_writer(out), one_interrupt():
            try:
                with console.status("looking at the scan ..."):
                    volume = begin_or_go_on(
                        out,
                        known.scan,
                        request.settings,
                        known.declared,
                        memory_bytes=memory_bytes,
                        again=request.again,
                    )
                _tell_plan(volume, known.scan, console)
                if volume.complete:
                    for _ in make_slabs(volume, known.scan, engine):  # none; who was killed before has not said so
                        pass
                    console.print(f"{out}: is complete; --again makes it anew.", soft_wrap=True)
                    return EXIT_COMPLETE
                if request.dask is None:
                    steps = make_slabs(volume, known.scan, engine)
                else:
                    from operando.session.dask_cluster import slabs_on_cluster

                    steps = slabs_on_cluster(request.dask, volume, known.scan, num_threads)
                with SlabProgress(console) as shown:
                    for progress in steps:
                        shown.show(progress)
            except Interrupted:
                console.print(
                    f"Interrupted; {_on_disk(volume)} The same command goes on with the rest.", soft_wrap=True
                )
                return EXIT_STOPPED
            _tell_end(volume, console)
    except (VolumeError, RecordedScanError, MaterialError, EngineError, PhaseError) as error:
        raise RequestError(str(error)) from error
    except OSError as error:
        raise RequestError(f"{error}. What is on the disk stays; the same command goes on with the rest.") from error
    return EXIT_COMPLETE


def _on_disk(volume: MadeVolume | None) -> str:
    if volume is None:
        return "what was on the disk stays."
    return f"{len(volume.slabs)} of {volume.plan.num_slabs} slabs are on the disk."


def _known(request: ReconstructRequest) -> _Known:
    source = request.source
    if (source / "documents.jsonl").is_file():
        return _tomogram_of_run(open_run_directory(source), request)
    if request.tomogram is not None:
        raise RequestError(f"{source}: is no run directory, so there is no tomogram {request.tomogram!r} to choose.")
    recorded = load_recorded_scan(source, angle_unit=chosen_angle_unit(request.angle_unit))
    scan = raw_scan(
        recorded, pixel_size_um=request.settings.pixel_size_um, angle_unit_given=request.angle_unit is not None
    )
    absolute = source.resolve()
    return _Known(scan, absolute.with_name(f"{absolute.name if absolute.is_dir() else absolute.stem}.zarr"))


def _tomogram_of_run(run: RunDirectory, request: ReconstructRequest) -> _Known:
    tomogram = find_tomogram(run, request.tomogram)
    scan, out = scan_of_run(run, tomogram), run.volume(tomogram.attempt) / "volume.zarr"
    experiment: Experiment = load_experiment(run.experiment)
    analysis, energy_kev, pixel_size_um = experiment.analysis, scan.energy_kev, scan.pixel_size_um
    if analysis is None or energy_kev is None or pixel_size_um is None:
        return _Known(scan, out)
    cell, slab = experiment.cell.geometry, analysis.grey_reference
    wall_per_cm = attenuation_per_cm(cell.wall_material, energy_kev)
    plain_rows = rows_of(slab.bottom, slab.top, scan.frame_shape[0], pixel_size_um)
    phase = analysis.phase_retrieval
    length_um = None if phase is None else filter_length_um(phase, energy_kev)
    return _Known(scan, out, Declared(cell, wall_per_cm, plain_rows, slab.attenuation, length_um))


def _tell_plan(volume: MadeVolume, scan: RawScan, console: Console) -> None:
    plan = volume.plan
    num_z, num_y, num_x = plan.shape
    lines = [
        f"{scan.source}: {scan.projections.shape[0]} projections of {scan.frame_shape[0]} rows x "
        f"{scan.frame_shape[1]} columns",
        f"rotation axis at column {plan.axis.column:.2f} ± {plan.axis.uncertainty:.2f} ({plan.axis.method})"
        + (", full turn joined to a wider view" if plan.extended else ""),
        f"{volume.path}: {num_x} x {num_y} x {num_z} voxels of {plan.pixel_size_um:g} um (x, y, z), "
        f"{plan.num_levels} levels, {plan.num_slabs} slabs of {plan.slab_rows} rows",
    ]
    if (counting := plan.counting) is not None:
        lines.append(
            f"uncertainty of every voxel in {volume.path / NOISE}: {counting.photons_per_count:.3g} photons per count, "
            f"darks vary by {counting.dark_variance**0.5:.3g} counts"
        )
    if plan.flags:
        lines.append(f"flags: {', '.join(flag.replace('_', ' ') for flag in plan.flags)}")
    if volume.slabs:
        lines.append(f"going on: {len(volume.slabs)} slabs are on the disk")
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)


def _tell_end(volume: MadeVolume, console: Console) -> None:
    totals = volume.totals()
    losses = ", ".join(
        f"{number} {name.removeprefix('num_').replace('_', ' ')}"
        for name, number in totals.items()
        if name.startswith(("num_", "most_")) and name != "num_slabs" and number
    )
    beam = f"Beam: {totals['flat']}; brightness {totals['beam_intensity']}."
    grey = "attenuation in 1/cm" if volume.plan.grey_values_absolute else "grey values with an unknown offset and gain"
    console.print(f"{volume.path}: complete, {grey}. {beam} {f'Losses: {losses}.' if losses else ''}", soft_wrap=True)
