"""The standard uncertainty of the voxels of a slab."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from live_analysis.final_volume.extended_view import extended_view
from live_analysis.final_volume.plan import VolumePlan
from live_analysis.final_volume.slab_variances import SlabVariances
from live_analysis.final_volume.smoothing_noise import smoothing
from live_analysis.final_volume.stripe_noise import left_of_shared
from live_analysis.reconstruction.noise import VoxelNoise
from live_analysis.reconstruction.ray_variances import RayVariances, column_step, means_of_columns

LEAST_SOURCE = 0.01  # of the flats' noise: less of it changes from projection to projection than would be seen

HALF_A_STEP = np.uint32(1 << 14)  # in the last of eight bits behind the point


@dataclass(frozen=True)
class _Seen:
    """Variances as the engine sees them: see `VoxelNoise` and `RayVariances`."""

    rays: RayVariances
    levers: NDArray[np.float64]
    axis_column: float


def slab_noise(
    plan: VolumePlan,
    rows: slice,
    variances: SlabVariances,
    angles_deg: NDArray[np.float64],
    stripe_errors: NDArray[np.float32] | None,
) -> NDArray[np.float32]:
    """Return standard uncertainties in 1/cm, shape (row, y, x), NaN where not every direction sees the point.

    Parameters
    ----------
    rows
        Detector rows of the slab through which the beam comes.
    angles_deg
        Of the projections that count.
    stripe_errors
        From `remove_stripes`; None where stripes were kept.
    """
    left = smoothing(plan, rows)
    shared, levers = _shared(variances, stripe_errors, None if left is None else left.of_differences)
    of_each, step = variances.of_each, column_step(plan.num_columns)
    if left is not None:
        of_each = of_each * means_of_columns(left.of_columns, step)
        shared = shared * left.of_columns
    seen = _Seen(RayVariances(of_each, step, (step - 1) / 2, shared), levers, plan.axis.column)
    if plan.extended:
        seen = _in_wider_view(seen, angles_deg)
    noise = _voxel_noise(
        plan, angles_deg.tobytes(), seen.levers.tobytes(), seen.axis_column, seen.rays.shared.shape[2]
    ).of_rays(seen.rays, plan.region)
    return _rounded(noise if left is None else noise * np.sqrt(left.of_rows)[:, None, None])


def _rounded(noise: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round to 0.2 %, in place: bits that say nothing would take half the room of the volume itself."""
    bits = noise.view(np.uint32)
    bits += HALF_A_STEP
    bits &= ~(2 * HALF_A_STEP - 1)
    return noise


def _shared(
    variances: SlabVariances, stripe_errors: NDArray[np.float32] | None, of_differences: NDArray[np.float32] | None
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return variances of what projections share, shape (source, row, column), and how it acts on each of them.

    The first source is what all share alike. Further ones are what of the flats' noise changes from projection to
    projection, where the beam of each is made of other parts of the flats.
    """
    num = len(variances.flat_shares)
    common = variances.flat_shares.mean(axis=0)
    changing, sizes, _ = np.linalg.svd(variances.flat_shares - common, full_matrices=False)
    kept = sizes**2 > LEAST_SOURCE * num * (common**2).sum()
    alike = np.asarray(variances.of_flat * (common**2).sum() + variances.of_dark, np.float32)
    if stripe_errors is not None:
        alike = left_of_shared(alike, variances.mean_of_each / np.float32(num), stripe_errors, of_differences)
    shared = np.stack([alike, *[variances.of_flat] * int(kept.sum())])
    return shared, np.concatenate([np.ones((1, num)), (changing * sizes).T[kept]])


def _in_wider_view(seen: _Seen, angles_deg: NDArray[np.float64]) -> _Seen:
    """Do to variances what `extend` does to integrals."""
    rays, num_columns = seen.rays, seen.rays.shared.shape[2]
    view = extended_view(angles_deg, seen.axis_column, num_columns)
    squares = (view.column_weights**2).astype(np.float32)
    of_each = rays.of_each * means_of_columns(squares, rays.step) * (view.scale**2).astype(np.float32)[:, None, None]
    after = view.width - num_columns - view.first
    blocks_before, blocks_after = -(-view.first // rays.step), -(-after // rays.step)
    wide = RayVariances(
        np.pad(of_each, ((0, 0), (0, 0), (blocks_before, blocks_after))),
        rays.step,
        rays.first + view.first - blocks_before * rays.step,
        np.pad(rays.shared * squares, ((0, 0), (0, 0), (view.first, after))),
    )
    return _Seen(wide, seen.levers * view.scale, seen.axis_column + view.first)


@lru_cache(maxsize=2)  # slabs differ in their projections only where some are damaged
def _voxel_noise(plan: VolumePlan, angles: bytes, levers: bytes, axis_column: float, num_columns: int) -> VoxelNoise:
    angles_deg = np.frombuffer(angles)
    left = smoothing(plan, slice(0, 0))
    return VoxelNoise(
        angles_deg,
        axis_column,
        plan.pixel_size_um,
        num_columns,
        levers=np.frombuffer(levers).reshape(-1, len(angles_deg)),
        left=None if left is None else left.amplitude,
    )
