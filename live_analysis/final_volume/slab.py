"""One slab: its counts to voxels at every level, on disk. Any process can make any slab."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.corrections.stripes import StripesFound, remove_stripes
from live_analysis.engines.engine import Engine, Scan
from live_analysis.final_volume.beam import BeamOfSlab
from live_analysis.final_volume.extended_view import extend
from live_analysis.final_volume.ome_zarr import VolumeStore
from live_analysis.final_volume.plan import Bore, VolumePlan
from live_analysis.final_volume.pyramid import pyramid
from live_analysis.final_volume.raw_scan import RawScan, VolumeError
from live_analysis.final_volume.slab_height import ENGINE_ROWS
from live_analysis.final_volume.slab_integrals import (
    Losses,
    SlabCounts,
    SlabIntegrals,
    read_counts,
    rows_to_read,
    slab_integrals,
)
from live_analysis.final_volume.slab_noise import slab_noise
from live_analysis.reconstruction.angle_weights import ProjectionError
from live_analysis.reconstruction.cylinder_model import CylinderFit, CylinderFitError, fit_cylinder
from live_analysis.reconstruction.lattice import Lattice
from operando.model.geometry import CellGeometry

LEAST_PROJECTIONS = 0.5  # of the scan: with less a slab's rows are NaN, and counted


@dataclass(frozen=True)
class SlabDone:
    """A slab that is on the disk: bytes of its files, and what was lost on the way.

    ``num_rows_lost`` are rows in which too few projections could be used, so that their voxels are NaN.
    """

    index: int
    num_bytes: int
    losses: Losses
    num_rows_lost: int
    stripes: StripesFound


def seen_part(plan: VolumePlan, index: int) -> slice:
    """Return the rows of a slab through which the beam comes; empty if there are none."""
    rows = plan.slab(index)
    first = max(rows.start, min(plan.seen_rows[0], rows.stop))
    return slice(first, max(min(rows.stop, plan.seen_rows[1]), first))


def counts_of(plan: VolumePlan, scan: RawScan, index: int) -> SlabCounts | None:
    """Read the counts of a slab; None if no beam comes through it."""
    rows = seen_part(plan, index)
    return read_counts(scan, rows, rows_of_counts(plan, index)) if rows.stop > rows.start else None


def rows_of_counts(plan: VolumePlan, index: int) -> slice:
    """Return the detector rows that a slab is made from."""
    rows = seen_part(plan, index)
    if rows.start == rows.stop:
        return rows
    return rows_to_read(rows, plan.seen_rows, plan.corrections.margin(plan.num_columns))


def finish_slab(
    plan: VolumePlan, scan: RawScan, engine: Engine, store: VolumeStore, index: int, integrals: SlabIntegrals | None
) -> SlabDone:
    """Reconstruct a slab from its integrals, which lose their stripes; write it, and return once the disk has it.

    Raises
    ------
    VolumeError
        If the engine refuses the projections.
    """
    rows, seen = plan.slab(index), seen_part(plan, index)
    values = np.full((rows.stop - rows.start, *plan.shape[1:]), np.nan, np.float32)
    losses, num_rows_lost, stripes = Losses(), 0, StripesFound()
    inner = slice(seen.start - rows.start, seen.stop - rows.start)
    errors = None
    if integrals is not None:
        losses = integrals.losses
        if len(integrals.angles_deg) < LEAST_PROJECTIONS * len(scan.angles_deg):
            num_rows_lost = seen.stop - seen.start
            integrals = None
        else:
            if not plan.settings.keep_stripes:
                errors = np.empty(integrals.values.shape[1:], np.float32)
                stripes = remove_stripes(integrals.values, integrals.angles_deg, plan.axis.column, errors=errors)
            _reconstruct(plan, engine, integrals, values[inner])
    store.write(index, pyramid(values, plan.num_levels))
    if plan.counting is not None:
        values[:] = np.nan
        if integrals is not None and integrals.variances is not None:
            values[inner] = slab_noise(plan, seen, integrals.variances, integrals.angles_deg, errors)
        store.write_noise(index, values)
    return SlabDone(index, store.kept(index), losses, num_rows_lost, stripes)


def make_slab(
    plan: VolumePlan, scan: RawScan, beam: BeamOfSlab, engine: Engine, store: VolumeStore, index: int
) -> SlabDone:
    """Read, reconstruct and write one slab."""
    counts = counts_of(plan, scan, index)
    integrals = (
        None if counts is None else slab_integrals(counts, scan.angles_deg, beam, plan.corrections, plan.counting)
    )
    del counts
    return finish_slab(plan, scan, engine, store, index, integrals)


def _reconstruct(plan: VolumePlan, engine: Engine, slab: SlabIntegrals, values: NDArray[np.float32]) -> None:
    """Fill ``values``, shape (row, y, x), a few rows at a time."""
    x0, x1, y0, y1 = plan.region
    for first in range(0, len(values), ENGINE_ROWS):
        rows = slice(first, min(first + ENGINE_ROWS, len(values)))
        integrals, axis_column = np.ascontiguousarray(slab.values[:, rows]), plan.axis.column
        bore = None
        if plan.bore is not None:
            bore = _fitted(plan, plan.bore, integrals, slab.angles_deg)
            integrals -= bore.integrals(slab.angles_deg, axis_column, integrals.shape[2], plan.pixel_size_um)
        if plan.extended:
            integrals, axis_column = extend(integrals, slab.angles_deg, axis_column)
        scan = Scan(integrals, slab.angles_deg, axis_column, plan.pixel_size_um, plan.taper_columns)
        try:
            found = engine.reconstruct(scan)
        except ProjectionError as error:
            raise VolumeError(f"engine {engine.name}: {error}") from error
        values[rows] = found[:, y0:y1, x0:x1]
        if bore is not None:
            square = Lattice.square(plan.square)
            values[rows] += bore.attenuation(square.x[:, x0:x1], square.y[y0:y1], plan.pixel_size_um)


def _fitted(
    plan: VolumePlan, bore: Bore, integrals: NDArray[np.float32], angles_deg: NDArray[np.float64]
) -> CylinderFit:
    """Fit the content of each row; where the bore lies was told by other rows."""
    cell = CellGeometry(bore.bore_diameter_mm, bore.wall_outer_diameter_mm, bore.wall_material)
    try:
        return fit_cylinder(
            integrals,
            angles_deg,
            plan.axis.column,
            plan.pixel_size_um,
            cell,
            bore.wall_per_cm,
            centre_um=bore.centre_um,
        )
    except CylinderFitError as error:
        raise VolumeError(str(error)) from error
