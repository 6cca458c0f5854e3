"""Volume of cracks from how much attenuation is missing in them rather than from voxels.

A crack thinner than the point spread is a shallow, blurred shadow: how many voxels it darkens says little of its
volume, what is missing in all of them together says it whatever the blur.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.cracks.candidates import (
    EDGE_SMOOTHING_UM,
    SEED_MISSING,
    SEED_SPREADS,
    Candidates,
    Smoothed,
    find_cracks,
    smoothed_twice,
)
from live_analysis.cracks.darkness import SIGMA_Z_UM
from live_analysis.cracks.matrix_blocks import MatrixBlocks, matrix_blocks
from live_analysis.cracks.missing_volume import earlier_missing_um3, missing_volume_um3, with_blur
from live_analysis.cracks.pristine_matrix import PristineMatrix
from live_analysis.cracks.rise import NOTHING_MOVED, Rise
from live_analysis.cracks.single_cracks import SharedOut, SingleCrack, single_cracks

STRICTNESS_VARIATION = 1.25
# Systematic error of the sum, as one standard deviation: the matrix beside a crack is not quite what it was in it, and
# rims are lost. Simulated cells of four kinds (radii 90 to 240 um, mean opening 1.2 to 3 um, 3 and 5 % pores, voxels of
# 3.5 um) came out 5 to 10 % low; cracks of 0.9 um, near the detection limit, 33 % low: the varied threshold shows that.
SUM_BIAS = 0.07
COMPARED_SUM_BIAS = 0.03  # beside the pristine state the same cells came out 0 to 4 % high, in every state
SMALLEST_CERTAIN_RADIUS_UM = 120.0
# Blur of a thin crack along z in all, and what the smoothing for seeds leaves of the middle of one of this radius.
BLURRED_SIGMA_Z_UM, PEAK_LEFT = 2.8, 0.8

BELOW_DETECTION = "below_detection"


@dataclass(frozen=True)
class CrackVolume:
    """What was found, with its uncertainty (one standard deviation).

    ``volume_um3`` is 0 where no crack is certain; the uncertainty then is the detection limit, the volume of one crack
    of 240 um diameter that is surely found. Cracks below it are not in the volume, however many. ``was_there`` is what
    looks like a crack but did so in the pristine state; it is in none of the numbers. ``blocks`` marks what
    was summed, shape (z, y, x) of the matrix' blocks, which are ``width`` voxels wide along y and x.
    """

    volume_um3: float
    uncertainty_um3: float
    detection_limit_um3: float
    cracks: tuple[SingleCrack, ...]
    was_there: tuple[SingleCrack, ...]
    blocks: NDArray[np.bool_]
    width: int
    flags: tuple[str, ...]


@dataclass(frozen=True)
class CrackSearch:
    """Where a state is dark like a crack, under the plain, a stricter and a laxer threshold."""

    blocks: MatrixBlocks
    smoothed: Smoothed
    found: tuple[Candidates, Candidates, Candidates]

    def measured(self, pristine: PristineMatrix | None = None, rise: Rise = NOTHING_MOVED) -> CrackVolume:
        """Measure the cracks, those that opened since the pristine state if it is given.

        Parameters
        ----------
        pristine
            The same region then.
        rise
            How far it has risen since.
        """
        earlier = () if pristine is None else (pristine.carried(rise), pristine.blocks)
        plain, stricter, laxer = (self._shared_out(candidates, earlier) for candidates in self.found)
        limit_um3 = _detection_limit_um3(float(self.smoothed.seeds.spread.max()))
        total_um3, width, compared = plain.volume_um3, self.blocks.width, pristine is not None
        summed = with_blur(self.found[0].mask, self.blocks) & plain.blocks
        if min(total_um3, stricter.volume_um3) < limit_um3:
            limit_um3, nowhere = max(total_um3, limit_um3), np.zeros_like(summed)
            return CrackVolume(0.0, limit_um3, limit_um3, (), plain.was_there, nowhere, width, (BELOW_DETECTION,))
        noise_um3 = _noise_um3(self.blocks, self.smoothed.edges.spread, summed)
        parts_um3 = (
            float(np.ptp([total_um3, stricter.volume_um3, laxer.volume_um3])) / 2,
            (COMPARED_SUM_BIAS if compared else SUM_BIAS) * total_um3,
            noise_um3 * float(np.sqrt(2 if compared else 1)),
            limit_um3,
        )
        return CrackVolume(
            total_um3,
            float(np.linalg.norm(parts_um3)),
            limit_um3,
            plain.opened,
            plain.was_there,
            summed,
            width,
            (),
        )

    def _shared_out(self, candidates: Candidates, earlier: Sequence[MatrixBlocks]) -> SharedOut:
        missing_um3, summed = missing_volume_um3(self.blocks, candidates.mask)
        before_um3 = [earlier_missing_um3(self.blocks, then, summed) for then in earlier]
        return single_cracks(candidates, self.blocks, missing_um3, before_um3)


def search_cracks(
    volume_per_cm: NDArray[np.float32], voxel_size_um: float, inside: NDArray[np.float32] | None = None
) -> CrackSearch:
    """Look for cracks that lie across the rotation axis, up to 15 degrees.

    Parameters
    ----------
    volume_per_cm
        Attenuation on an absolute scale, where a void is 0, shape (z, y, x), in 1/cm; NaN outside the view.
    voxel_size_um
        Edge of a voxel.
    inside
        Part of each voxel, 0 to 1, that lies in the region whose cracks are asked for, same shape; by default all.

    Raises
    ------
    CrackVolumeError
        If the array is not a volume of which something is seen.
    """
    blocks = matrix_blocks(volume_per_cm, voxel_size_um, inside)
    smoothed = smoothed_twice(blocks)
    plain, stricter, laxer = (
        find_cracks(smoothed, blocks, strictness=strictness)
        for strictness in (1.0, STRICTNESS_VARIATION, 1 / STRICTNESS_VARIATION)
    )
    return CrackSearch(blocks, smoothed, (plain, stricter, laxer))


def crack_volume(
    volume_per_cm: NDArray[np.float32], voxel_size_um: float, inside: NDArray[np.float32] | None = None
) -> CrackVolume:
    """Measure V = sum (mu_matrix - mu) / mu_matrix over the cracks of a state by itself; see `search_cracks`."""
    return search_cracks(volume_per_cm, voxel_size_um, inside).measured()


def _noise_um3(blocks: MatrixBlocks, spread: NDArray[np.float64], summed: NDArray[np.bool_]) -> float:
    """Noise of the sum, from that of the smoothed rows: values further apart than the smoothing are independent."""
    dz_um, dy_um, dx_um = blocks.spacing_um
    block_um3 = dz_um * dy_um * dx_um
    independent_um3 = 4 * np.pi * EDGE_SMOOTHING_UM**2 * max(2 * np.sqrt(np.pi) * SIGMA_Z_UM, dz_um)
    variance = float((summed.sum((1, 2)) * spread**2).sum()) * block_um3 * independent_um3
    return float(np.sqrt(variance))


def _detection_limit_um3(spread: float) -> float:
    """Volume of one crack, a thin spheroid, found with the stricter threshold too."""
    needed = STRICTNESS_VARIATION * max(SEED_MISSING, SEED_SPREADS * spread)
    height_um = needed * np.sqrt(2 * np.pi) * BLURRED_SIGMA_Z_UM / PEAK_LEFT
    return float(2 / 3 * np.pi * SMALLEST_CERTAIN_RADIUS_UM**2 * height_um)
