"""A recorded scan: 91 projections in 2 degree steps of a machined sample, 135 rows x 160 columns."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile
from algotom.rec.reconstruction import fbp_reconstruction
from numpy.typing import NDArray

from live_analysis.normalisation import attenuation_integral, repair_pixels, transmission
from live_analysis.reconstruction.filtered_scan import filter_scan
from live_analysis.reconstruction.lattice import Lattice
from live_analysis.rotation_axis import find_rotation_axis

SCAN = Path(__file__).parents[3] / "shared" / "data" / "savu-tomogram"
NUM_COLUMNS = 160
ROWS_OF_SAMPLE = slice(60, 110)
PIXEL_UM = 10.0  # not recorded with the scan; correlations and the axis do not depend on it


@dataclass(frozen=True)
class Scan:
    integrals: NDArray[np.float32]
    angles_deg: NDArray[np.float64]
    num_repaired: int


@pytest.fixture(scope="module")
def scan() -> Scan:
    if not SCAN.is_dir():
        pytest.skip(f"the recorded scan is not at {SCAN}")
    counts = np.stack([tifffile.imread(path) for path in sorted((SCAN / "tiffs").glob("*.tiff"))])
    flat, dark = tifffile.imread(SCAN / "flat_00001.tiff"), tifffile.imread(SCAN / "dark_00001.tiff")
    repaired = repair_pixels(attenuation_integral(transmission(counts, flat, dark)).values)
    # The first and last ten of 111 angles belong to flats and darks.
    return Scan(repaired.values, np.loadtxt(SCAN / "angles.txt")[10:-10], repaired.num_pixels)


def test_one_dead_pixel_is_repaired_in_each_of_91_frames(scan: Scan) -> None:
    assert scan.integrals.shape == (91, 135, NUM_COLUMNS)
    assert scan.num_repaired == 91


@pytest.mark.parametrize("rows", [ROWS_OF_SAMPLE, slice(60, 80), slice(90, 110)])
def test_the_axis_is_within_half_a_column_of_where_three_methods_of_others_put_it(scan: Scan, rows: slice) -> None:
    axis = find_rotation_axis(scan.integrals[:, rows], scan.angles_deg)
    assert axis.column == pytest.approx(85.6, abs=0.5)  # 85.75 by pair, 85.5 by Vo 2014, 86.0 by sharpness
    assert axis.confidence > 0.9


def test_the_axis_is_found_without_the_projection_at_180_degrees(scan: Scan) -> None:
    axis = find_rotation_axis(scan.integrals[:-1, ROWS_OF_SAMPLE], scan.angles_deg[:-1])
    assert axis.column == pytest.approx(85.6, abs=0.5)


@pytest.mark.parametrize("row", [0, 5, 10])
def test_an_empty_row_gives_low_confidence(scan: Scan, row: int) -> None:
    assert find_rotation_axis(scan.integrals[:, row : row + 1], scan.angles_deg).confidence < 0.3


@pytest.mark.parametrize("row", [60, 80, 100])
def test_the_slice_is_that_of_an_independent_filtered_back_projection(scan: Scan, row: int) -> None:
    axis_column = 85.7
    # Air reads 0.4: the beam was weaker than its flat. Both continue the projections beyond their edges.
    ours = filter_scan(scan.integrals[:, row : row + 1], scan.angles_deg, axis_column, PIXEL_UM)
    square = Lattice.square(NUM_COLUMNS)
    found = ours.reconstruct(square)[0, ::-1]  # its y axis points the other way
    theirs = fbp_reconstruction(
        scan.integrals[:, row], axis_column, angles=np.radians(scan.angles_deg), apply_log=False, gpu=False,
        ratio=None, filter_name=None, ncore=1,
    )  # fmt: skip
    inside = np.hypot(square.x, square.y) < 65
    assert np.corrcoef(found[inside], theirs[inside])[0, 1] > 0.97
