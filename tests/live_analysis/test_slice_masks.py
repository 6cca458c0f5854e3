"""What was counted in a region is marked at the same places of the three slices."""

from pathlib import Path

import h5py
import numpy as np

from live_analysis.cracks.matrix_blocks import voxels_of_blocks
from live_analysis.region_volume import RegionVolume
from live_analysis.slice_masks import CRACK, HIGH_ATTENUATION, SliceMasks
from live_analysis.slices_picture import OrthogonalSlices

UPRIGHT = np.zeros((20, 40), np.float32)
SLICES = OrthogonalSlices(np.zeros((40, 40), np.float32), UPRIGHT, UPRIGHT, 2.0)


def region(rows: slice, width: int) -> RegionVolume:
    shape = rows.stop - rows.start, width, width
    whole = slice(0, shape[0]), slice(0, width), slice(0, width)
    return RegionVolume(np.zeros(shape, np.float32), np.ones(shape, np.float32), whole, rows, True)


def test_a_voxel_beside_the_axis_is_marked_where_the_slices_show_it(tmp_path: Path) -> None:
    masks, box = SliceMasks(SLICES, 12), region(slice(10, 16), 10)
    mask = np.zeros(box.values_per_cm.shape, bool)
    mask[2, 5, 8] = True  # row 12, on the line y = 0, three voxels beyond x = 0
    masks.mark(mask, box, HIGH_ATTENUATION)
    masks.write(tmp_path, tomogram="D0.7V", run_uid="uid")
    with h5py.File(tmp_path / "masks.h5") as file:
        found = {name: list(zip(*np.nonzero(file[name][...]), strict=True)) for name in ("xy", "xz", "yz")}
        assert file.attrs["tomogram"] == "D0.7V"
    assert found == {"xy": [(20, 23)], "xz": [(12, 23)], "yz": []}  # the line x = 0 does not meet it


def test_a_region_wider_than_the_view_is_cut_and_blocks_are_spread() -> None:
    masks, box = SliceMasks(SLICES, 0), region(slice(4, 6), 60)
    blocks = np.zeros((2, 4, 4), bool)
    blocks[0, 1, 3] = True
    voxels = voxels_of_blocks(blocks, 16, box.values_per_cm.shape)
    assert voxels.shape == box.values_per_cm.shape
    assert voxels.sum() == 16 * (60 - 48)
    masks.mark(voxels, box, CRACK)
    assert set(np.unique(masks.planes["xz"])) == {0, CRACK}
    assert (masks.planes["xz"] == CRACK).sum() == 50 - 48  # of the last block what the view shows
