"""From two states to the displacement of every cuboid: search, fit, and what the neighbours say."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.displacement.affine_fit import AffineFits
from live_analysis.displacement.cuboid_grid import CuboidGrid, DisplacementError
from live_analysis.displacement.found_cuboids import fit_cuboids, replaced, search_cuboids
from live_analysis.displacement.layers import Layer, settle
from live_analysis.displacement.prepared_state import PreparedState

Floats = NDArray[np.float64]

MAX_CRACKED = 0.01  # of a cuboid's voxels
# All cuboids of a layer may be off by this together, in um (simulated cells; 2256 projections, voxels of
# 1.76 um: 0.07 at most; 360 projections, voxels of 3.52 um, where streaks outweigh the texture: 0.4, once 1.0).
SYSTEMATIC_UM, STREAKY_SYSTEMATIC_UM = 0.1, 0.6


@dataclass(frozen=True)
class DisplacementField:
    """Displacement of all cuboids between two states; vectors are (x, y, z upwards) in um.

    ``node_um`` is the centre of each cuboid in the reference state: x and y from the rotation axis, height above the
    bottom of the view. ``displacement_um`` is drawn to the layer as far as noise asks, ``fitted_um`` is not.
    ``gradient`` (n, 3, 3) is the derivative of each component along x, y and z. ``used`` is the part
    of each cuboid's voxels that was compared. ``found`` is False where too little matrix is seen, the fit did not
    converge, or the neighbours disagree; ``valid`` also where a crack crosses the cuboid. ``uncertainty_um`` is one
    standard deviation; what was not measured is NaN. ``shape`` is the number of layers, from the bottom upwards, and of
    cuboids along y and x; ``layers`` are their means, over all nodes found.
    ``streaky`` says that streaks outweigh the texture: they are followed too, and the uncertainty allows for it.
    """

    node_um: Floats
    displacement_um: Floats
    fitted_um: Floats
    uncertainty_um: Floats
    gradient: Floats
    correlation: Floats
    used: Floats
    found: NDArray[np.bool_]
    valid: NDArray[np.bool_]
    shape: tuple[int, int, int]
    cuboid_um: float
    layers: tuple[Layer, ...]
    streaky: bool


def measure_displacement(
    reference: PreparedState,
    moved: PreparedState,
    grid: CuboidGrid,
    *,
    top_um: float,
    start: DisplacementField | None = None,
) -> DisplacementField:
    """Measure where each cuboid of the reference went.

    Parameters
    ----------
    reference, moved
        Both of one shape.
    grid
        Cuboids in the reference.
    top_um
        Height of the upper face of the volume above the bottom of the view.
    start
        Field of the state before, on the same grid, to search from.

    Raises
    ------
    DisplacementError
        If the volumes differ in shape or voxel size, or the field to start from has another grid.
    """
    _refuse_unequal(reference, moved, grid, start)
    voxel_um = reference.voxel_size_um
    before = None if start is None else _in_voxels(start, voxel_um)
    shifts = search_cuboids(reference, moved, grid, before)
    fits, found = fit_cuboids(reference, moved, grid, shifts)
    crossed = _cracked_part(fits, grid, moved.cracked) > MAX_CRACKED
    return _in_um(fits, found, crossed, grid, reference, top_um)


def _refuse_unequal(
    reference: PreparedState, moved: PreparedState, grid: CuboidGrid, start: DisplacementField | None
) -> None:
    shapes = reference.values_per_cm.shape, moved.values_per_cm.shape
    voxels_um = reference.voxel_size_um, moved.voxel_size_um
    if shapes[0] != shapes[1] or abs(voxels_um[0] - voxels_um[1]) > 1e-3 * voxels_um[0]:
        raise DisplacementError(
            f"volumes of {shapes[0]} voxels of {voxels_um[0]} um and {shapes[1]} voxels of {voxels_um[1]} um cannot be "
            "laid on each other: take both tomograms with the same camera, rows and region."
        )
    if start is not None and start.shape != grid.shape:
        raise DisplacementError(
            f"the field to start from has {start.shape} cuboids, the grid {grid.shape}: measure without it."
        )


def _cracked_part(fits: AffineFits, grid: CuboidGrid, cracked: NDArray[np.bool_]) -> Floats:
    """Return the part of every cuboid, where it went, that is cracked."""
    if not cracked.any():
        return np.zeros(grid.num_nodes)
    begins = np.rint(grid.first.reshape(-1, 3) + fits.shifts).astype(np.int64)
    begins = np.clip(begins, 0, np.array(cracked.shape) - 1)
    n = grid.size
    return np.array([cracked[z : z + n, y : y + n, x : x + n].mean() for z, y, x in begins])


def _in_um(
    fits: AffineFits,
    found: NDArray[np.bool_],
    crossed: NDArray[np.bool_],
    grid: CuboidGrid,
    reference: PreparedState,
    top_um: float,
) -> DisplacementField:
    voxel_um = reference.voxel_size_um
    _, num_y, num_x = reference.values_per_cm.shape
    z, y, x = grid.centres.T
    up = np.array([1.0, 1.0, -1.0])  # the index along z counts downwards
    middle = np.array([(num_x - 1) / 2, (num_y - 1) / 2, top_um / voxel_um - 0.5])
    nodes = (np.stack([x, y, z], 1) * up + np.array([-1.0, -1.0, 1.0]) * middle) * voxel_um
    measured = np.asarray(np.isfinite(fits.uncertainty).all(1))
    fitted = np.where(measured[:, None], fits.shifts[:, ::-1] * up * voxel_um, np.nan)
    found = np.asarray(found & measured)
    systematic_um = STREAKY_SYSTEMATIC_UM if reference.streaky else SYSTEMATIC_UM
    settled = settle(nodes, fitted, fits.uncertainty[:, ::-1] * voxel_um, found, grid.shape, systematic_um)
    gradient = fits.parameters[:, ::-1, :0:-1] * up[:, None] * up
    return DisplacementField(
        node_um=nodes,
        displacement_um=settled.displacement_um,
        fitted_um=fitted,
        uncertainty_um=settled.uncertainty_um,
        gradient=np.where(measured[:, None, None], gradient, np.nan),
        correlation=fits.correlation,
        used=fits.used,
        found=found,
        valid=found & ~crossed,
        shape=grid.shape,
        cuboid_um=grid.size * voxel_um,
        layers=settled.layers,
        streaky=reference.streaky,
    )


def _in_voxels(field: DisplacementField, voxel_um: float) -> Floats:
    shifts = (np.nan_to_num(field.displacement_um) / voxel_um * np.array([1.0, 1.0, -1.0]))[:, ::-1].reshape(
        *field.shape, 3
    )
    return replaced(shifts, field.found.reshape(field.shape))
