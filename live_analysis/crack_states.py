"""The cracks of a tomogram beside the pristine state of its run and the tomogram before it, from their files."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from live_analysis.cracks.crack_changes import CrackChanges, crack_changes
from live_analysis.cracks.crack_file import CrackState, write_cracks
from live_analysis.cracks.crack_volume import CrackSearch, CrackVolume
from live_analysis.cracks.placed_crack import placed
from live_analysis.cracks.pristine_matrix import PristineMatrix
from live_analysis.cracks.rise import NOTHING_MOVED, Rise
from live_analysis.displacement.displacement_file import read_displacement
from live_analysis.earlier_states import EarlierStates
from live_analysis.quantity import Quantity
from live_analysis.region_file import Face
from live_analysis.region_quantities import crack_quantities
from live_analysis.region_volume import RegionVolume
from live_analysis.tomogram_context import TomogramContext


@dataclass(frozen=True)
class ComparedCracks:
    """The cracks of a tomogram, names of the states that they were compared with, and what changed since ``before``."""

    found: CrackVolume
    pristine: str | None
    before: str | None
    changes: CrackChanges | None

    def quantities(self, *, complete: bool) -> Iterator[Quantity]:
        """Return what they tell; ``complete`` says whether all of their region is seen."""
        yield from crack_quantities(
            self.found, complete=complete, pristine=self.pristine, before=self.before, changes=self.changes
        )


def compare_cracks(
    context: TomogramContext,
    search: CrackSearch,
    wide: RegionVolume,
    *,
    pixel_size_um: float,
    num_rows: int,
    face: Face | None,
    earlier: EarlierStates,
) -> ComparedCracks:
    """Measure the cracks that opened since the pristine state, and leave them in ``cracks.h5`` of the volume.

    Parameters
    ----------
    context
        The tomogram; if its displacement was measured, it lies in its volume already.
    search
        In the crack region ``wide``.
    wide
        Reconstructed from a view of ``num_rows`` rows.
    pixel_size_um
        Of the view.
    num_rows
        Of the view.
    face
        The interface above the cathode, None if it was not found.
    earlier
        The states before.
    """
    tomogram = context.tomogram
    top_um = (num_rows - wide.rows.start) * pixel_size_um
    pristine = earlier.pristine_cracks(tomogram.attempt, tomogram.name)
    if pristine is not None and not pristine.matrix.fits(search.blocks, top_um):
        pristine = None
    rise = NOTHING_MOVED if pristine is None else _rise(context, pristine, face)
    found = search.measured(None if pristine is None else pristine.matrix, rise)
    shape = wide.values_per_cm.shape
    cracks = tuple(placed(crack, shape, pixel_size_um, top_um, rise) for crack in found.cracks)
    face_um = None if face is None else face.height_um
    state = CrackState(cracks, PristineMatrix(search.blocks, top_um), face_um, tomogram.name, tomogram.uid)
    write_cracks(context.run.volume(tomogram.attempt), state)
    before = earlier.cracks_before(tomogram.attempt, tomogram.name)
    return ComparedCracks(
        found,
        None if pristine is None else pristine.tomogram,
        None if before is None else before.tomogram,
        None if before is None else crack_changes(before.cracks, cracks),
    )


def _rise(context: TomogramContext, pristine: CrackState, face: Face | None) -> Rise:
    """Join what layers of cuboids and the interface say; what was not measured is left out."""
    tomogram = context.tomogram
    heights_um: list[float] = []
    rises_um: list[float] = []
    with contextlib.suppress(OSError, KeyError, ValueError):
        field, compared = read_displacement(context.run.volume(tomogram.attempt))
        if (compared.run_uid, compared.reference_run_uid) == (tomogram.uid, pristine.run_uid):
            heights_um += [float(layer.height_um) for layer in field.layers]
            rises_um += [float(np.asarray(layer.mean_um)[2]) for layer in field.layers]
    if face is not None and pristine.face_um is not None:
        heights_um.append(pristine.face_um)
        rises_um.append(face.height_um - pristine.face_um)
    return Rise.through(heights_um, rises_um)
