import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.engines.engine import Scan
from live_analysis.engines.native import NativeEngine
from live_analysis.reconstruction.angle_weights import angle_weights
from live_analysis.reconstruction.point_weights import PointWeights, coefficient_response
from tests.live_analysis.phantoms import evenly

NUM_COLUMNS, AXIS_COLUMN = 64, 30.8
ANGLES_DEG = evenly(450, 0.4)


@pytest.mark.parametrize("projection", [0, 111, 449])
def test_weights_are_those_that_the_engine_gives_to_single_pixels(projection: int) -> None:
    impulses = np.zeros((len(ANGLES_DEG), NUM_COLUMNS, NUM_COLUMNS), np.float32)
    impulses[projection] = np.eye(NUM_COLUMNS)
    given = NativeEngine().reconstruct(Scan(impulses, ANGLES_DEG, AXIS_COLUMN, 1e4))
    rows, columns = np.array([31, 32, 31, 20, 32]), np.array([31, 32, 35, 40, 10])
    middle = (NUM_COLUMNS - 1) / 2
    points = PointWeights(ANGLES_DEG, AXIS_COLUMN, NUM_COLUMNS, None, 1)
    first, taps = points.of_points(columns - middle, rows - middle)
    length = 4 * NUM_COLUMNS
    for point in range(len(rows)):
        sums = np.zeros(length)
        sums[first[point, projection] + np.arange(points.num_taps)] = taps[point, projection]
        spectrum = np.fft.rfft(sums) * coefficient_response(np.arange(length // 2 + 1) / length)
        found = np.fft.irfft(spectrum)[:NUM_COLUMNS] * angle_weights(ANGLES_DEG).weights_rad[projection]
        known = given[:, rows[point], columns[point]]
        # the engine takes one interpolation weight for 32 samples: up to 0.005 columns from their own places
        np.testing.assert_allclose(found, known, atol=0.01 * np.abs(known).max())


def test_weights_of_a_block_are_the_mean_of_those_of_its_voxels() -> None:
    single, block = (PointWeights(ANGLES_DEG, AXIS_COLUMN, NUM_COLUMNS, None, binning) for binning in (1, 2))

    def sums(points: PointWeights, x: list[float], y: list[float]) -> NDArray[np.float64]:
        first, taps = points.of_points(np.array(x), np.array(y))
        columns = first[:, :, None] + np.arange(points.num_taps)
        return np.asarray(np.bincount(columns.ravel(), taps.ravel(), NUM_COLUMNS), np.float64)

    voxels = sums(single, [4.5, 5.5, 4.5, 5.5], [-3.5, -3.5, -2.5, -2.5])
    np.testing.assert_allclose(sums(block, [5.0], [-3.0]), voxels / 4, atol=1e-12)
