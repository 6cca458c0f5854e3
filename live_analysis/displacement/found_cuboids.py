"""Each cuboid is searched and fitted; what contradicts its neighbours is fitted once more, from where these put it."""

import numpy as np
from numpy.typing import NDArray

from live_analysis.displacement.affine_fit import AffineFits, fit_affine
from live_analysis.displacement.affine_steps import CONVERGED
from live_analysis.displacement.coarse_search import correlation_maps
from live_analysis.displacement.cuboid_grid import CuboidGrid
from live_analysis.displacement.neighbours import neighbour_medians, outliers
from live_analysis.displacement.prepared_state import PreparedState
from live_analysis.displacement.registration import binned, rigid_shift

Floats = NDArray[np.float64]

SEARCHED_CUBOID_VOXELS = 16  # volumes are binned until a cuboid has about so many: noise falls, texture remains
REACH_UM = 10.0  # of the search about the shift of the whole, or about the state before
RIGID_REACH_UM = 28.0
MAX_DEPARTURE_VOXELS = 2.0  # of the fit from where it started: a fit that ran further has lost its cuboid
LARGEST_STRAIN = 0.25
TOLERANCE_VOXELS = 0.1  # by which neighbours may always differ


def search_cuboids(reference: PreparedState, moved: PreparedState, grid: CuboidGrid, before: Floats | None) -> Floats:
    """Return where cuboids are found, to a fraction of a voxel; shape (layer, row, column, 3).

    Maps are averaged over neighbours of a layer: they move alike, their noise does not.
    """
    bin_by = max(round(grid.size / SEARCHED_CUBOID_VOXELS), 1)
    voxel_um = reference.voxel_size_um
    textures = reference.texture, moved.texture
    if before is None:
        steps = max(round(RIGID_REACH_UM / voxel_um), 1)
        whole = rigid_shift(*textures, (steps, steps, steps), bin_by=2 * bin_by).voxels
        about = np.broadcast_to(whole, (*grid.shape, 3))
    else:
        about = np.broadcast_to(np.median(before, axis=(1, 2), keepdims=True), before.shape)
    offsets = np.rint(about / bin_by).astype(np.int64)
    reach = max(round(REACH_UM / (voxel_um * bin_by)), 2)
    size = grid.size // bin_by
    maps = correlation_maps(
        binned(textures[0], bin_by),
        binned(textures[1], bin_by),
        np.rint(grid.first.reshape(-1, 3) / bin_by).astype(np.int64),
        (size, size, size),
        offsets=offsets.reshape(-1, 3),
        reach=(reach, reach, reach),
    )
    shifts = maps.averaged(grid.shape).peaks()[0].reshape(*grid.shape, 3) * bin_by
    found = np.ones(grid.shape, np.bool_)
    wrong = outliers(shifts, found, TOLERANCE_VOXELS)
    return replaced(shifts, ~wrong)


def replaced(values: Floats, right: NDArray[np.bool_]) -> Floats:
    """Put the neighbours' median where a node is not right, the layer's where there are too few neighbours."""
    median, _ = neighbour_medians(values, right)
    everywhere = np.median(values[right], axis=0) if right.any() else np.median(values, axis=(0, 1, 2))
    for layer in range(values.shape[0]):
        level = np.median(values[layer][right[layer]], axis=0) if right[layer].any() else everywhere
        median[layer] = np.where(np.isfinite(median[layer]), median[layer], level)
    return np.where(right[..., None], values, median)


def fit_cuboids(
    reference: PreparedState, moved: PreparedState, grid: CuboidGrid, shifts: Floats
) -> tuple[AffineFits, NDArray[np.bool_]]:
    """Fit all cuboids; those that the neighbours contradict once more, from where these put them."""
    first = grid.first.reshape(-1, 3)
    heights = grid.first[:, 0, 0, 0].astype(np.float64)
    fits = _fit(reference, moved, grid, starts_of(shifts, heights), np.arange(len(first)))
    tolerance = TOLERANCE_VOXELS + np.nan_to_num(fits.uncertainty.reshape(*grid.shape, 3), nan=0.0)
    found = fits.shifts.reshape(*grid.shape, 3)
    good = _trusted(fits, shifts).reshape(grid.shape)
    good &= ~outliers(found, good, tolerance)
    again = np.flatnonzero(~good.ravel() & (fits.used > 0))
    if again.size and good.any():
        better = replaced(found, good)
        second = _fit(reference, moved, grid, starts_of(better, heights), again)
        for name in ("parameters", "uncertainty", "correlation", "status", "num_iterations"):
            getattr(fits, name)[again] = getattr(second, name)
        trusted = _trusted(fits, better).reshape(grid.shape)
        candidates = good | trusted
        good = candidates & ~outliers(fits.shifts.reshape(*grid.shape, 3), candidates, tolerance)
    return fits, good.ravel()


def _fit(
    reference: PreparedState, moved: PreparedState, grid: CuboidGrid, starts: Floats, nodes: NDArray[np.int64]
) -> AffineFits:
    return fit_affine(
        reference.values_per_cm,
        moved.values_per_cm,
        first=grid.first.reshape(-1, 3)[nodes],
        size=grid.size,
        starts=starts[nodes],
        reference_used=reference.used,
        moved_used=moved.used,
        correlated_voxels=reference.correlated_voxels,
    )


def starts_of(shifts: Floats, heights: Floats) -> Floats:
    """Shifts as parameters of the fit, with the gradients that they show from layer to layer."""
    parameters = np.zeros((*shifts.shape, 4))
    parameters[..., 0] = shifts
    if shifts.shape[0] > 1:
        layers = np.median(shifts, axis=(1, 2))
        parameters[..., 1] = np.gradient(layers, heights, axis=0)[:, None, None]
    return parameters.reshape(-1, 3, 4)


def _trusted(fits: AffineFits, shifts: Floats) -> NDArray[np.bool_]:
    departure = np.abs(fits.shifts - shifts.reshape(-1, 3)).max(1)
    strain = np.abs(fits.parameters[:, :, 1:]).max((1, 2))
    return np.asarray((fits.status == CONVERGED) & (departure < MAX_DEPARTURE_VOXELS) & (strain < LARGEST_STRAIN))
