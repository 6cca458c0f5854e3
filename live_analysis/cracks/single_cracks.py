"""The single cracks of a stack: volume, thickness and normal of each, and which of them were there before."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from live_analysis.cracks.candidates import EDGE_SMOOTHING_UM, MIN_RADIUS_UM, Candidates
from live_analysis.cracks.matrix_blocks import MatrixBlocks
from live_analysis.cracks.necks import cut_at_necks
from live_analysis.cracks.sheets import Sheets, find_sheets

# Published cracks come to 0.02, clouds of streaks in simulated cells to 0.03 to 0.24.
MAX_THICKNESS_OVER_DIAMETER = 0.03
WAS_THERE = 0.5  # of what is missing now: whoever missed as much in an earlier state has not opened since


@dataclass(frozen=True)
class SingleCrack:
    """One crack; its centre is in voxels of the volume's (z, y, x).

    ``area_um2`` is that of the spheroid with its second moments across, ``thickness_um`` the volume over it: two thirds
    of the opening in the middle if the crack is a spheroid. ``normal`` is a unit vector (x, y, z) of which z, along the
    rotation axis and upwards, is positive.
    """

    volume_um3: float
    area_um2: float
    centre: tuple[float, float, float]
    normal: tuple[float, float, float]

    @property
    def thickness_um(self) -> float:
        """Mean opening over the area."""
        return self.volume_um3 / self.area_um2

    @property
    def tilt_deg(self) -> float:
        """Angle between the normal and the rotation axis."""
        return float(np.degrees(np.arccos(min(self.normal[2], 1.0))))

    @property
    def azimuth_deg(self) -> float:
        """Direction from x to y in which the normal leans, from 0 to 360; without a tilt it says nothing."""
        return float(np.degrees(np.arctan2(self.normal[1], self.normal[0])) % 360)


@dataclass(frozen=True)
class SharedOut:
    """Cracks that ``opened``, the largest first, and what is just as dark but ``was_there`` before.

    ``blocks`` marks what belongs to the first, shape (z, y, x); each block of the volume goes to the nearest.
    """

    opened: tuple[SingleCrack, ...]
    was_there: tuple[SingleCrack, ...]
    blocks: NDArray[np.bool_]

    @property
    def volume_um3(self) -> float:
        """Volume of the cracks that opened."""
        return float(sum(crack.volume_um3 for crack in self.opened))


def single_cracks(
    found: Candidates,
    blocks: MatrixBlocks,
    missing_um3: NDArray[np.float64],
    earlier_um3: Sequence[NDArray[np.float64]] = (),
) -> SharedOut:
    """Share what is missing among the sheets; each part goes to the nearest one.

    Cracks less than two voxels above each other count as one.

    Parameters
    ----------
    found
        Where cracks are.
    blocks
        The matrix.
    missing_um3
        Volume missing in each block, shape (z, y, x).
    earlier_um3
        What was missing there in the pristine state, carried along with the cell; this is subtracted. Further ones are
        only asked whether the crack was there.
    """
    _, dy_um, dx_um = blocks.spacing_um
    sheets = cut_at_necks(find_sheets(found, blocks), dx_um)
    seen_um2 = np.bincount(sheets.sheet) * dy_um * dx_um
    large = np.flatnonzero(seen_um2 >= np.pi * MIN_RADIUS_UM**2)
    if not large.size:
        return SharedOut((), (), np.zeros_like(found.mask))
    numbers = np.zeros(int(sheets.sheet.max()) + 1, np.int64)
    numbers[large] = np.arange(1, large.size + 1)
    labels = np.zeros(found.mask.shape, np.int64)
    labels[sheets.index] = numbers[sheets.sheet]
    nearest = ndimage.distance_transform_edt(
        labels == 0, sampling=blocks.spacing_um, return_distances=False, return_indices=True
    )
    owner = labels[tuple(nearest)]
    now_um3, *before_um3 = (
        np.bincount(owner.ravel(), part.ravel(), large.size + 1)[1:] for part in (missing_um3, *earlier_um3)
    )
    thin = (0 < now_um3) & (now_um3 < MAX_THICKNESS_OVER_DIAMETER * 2 / np.sqrt(np.pi) * seen_um2[large] ** 1.5)
    was_there = np.any([before > WAS_THERE * now_um3 for before in before_um3], axis=0) & thin
    opened_um3 = now_um3 - before_um3[0] if before_um3 else now_um3
    opened = thin & ~was_there & (opened_um3 > 0)
    return SharedOut(
        _described(sheets, blocks, large[opened], opened_um3[opened]),
        _described(sheets, blocks, large[was_there], now_um3[was_there]),
        np.concatenate([[False], opened])[owner],
    )


def _described(
    sheets: Sheets, blocks: MatrixBlocks, numbers: NDArray[np.intp], volumes_um3: NDArray[np.float64]
) -> tuple[SingleCrack, ...]:
    cracks = (
        _crack(sheets, sheets.sheet == number, blocks, float(volume_um3))
        for number, volume_um3 in zip(numbers, volumes_um3, strict=True)
    )
    return tuple(sorted(cracks, key=lambda crack: -crack.volume_um3))


def _crack(sheets: Sheets, chosen: NDArray[np.bool_], blocks: MatrixBlocks, volume_um3: float) -> SingleCrack:
    plane, variances_um2 = sheets.plane(chosen), sheets.variances_um2(chosen)
    x_um, y_um, z_um = plane.centre_um
    smaller, larger = (max(variance - EDGE_SMOOTHING_UM**2, MIN_RADIUS_UM**2 / 5) for variance in variances_um2)
    # A plane that falls along x, counted downwards, rises along x for people: its normal leans the other way.
    upwards = np.array([plane.slope[0], plane.slope[1], 1.0])
    normal = upwards / np.linalg.norm(upwards)
    middle = (blocks.width - 1) / 2
    return SingleCrack(
        volume_um3,
        float(5 * np.pi * np.sqrt(smaller * larger)),
        (z_um / blocks.voxel_size_um, y_um / blocks.voxel_size_um + middle, x_um / blocks.voxel_size_um + middle),
        (float(normal[0]), float(normal[1]), float(normal[2])),
    )
