"""Reconstruction by the ASTRA toolbox on the CPU, with this project's ramp filter and angle weights.

ASTRA's own filtered back projection gives all angles one weight and takes one pixel for the unit of length, so only
its back projection (projector "linear") is used. That one is the transpose of a projection: a column contributes to a
pixel by the length of its ray there, which sums to one only on average over neighbouring pixels and angles. Grey values
are right to some 0.1 %; single voxels carry a fine pattern where angles are few.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import astra
import numpy as np
from numpy.typing import NDArray

from live_analysis.engines.checked_scan import check, check_threads
from live_analysis.engines.engine import Scan
from live_analysis.engines.seen import blank_unseen
from live_analysis.reconstruction.angle_weights import angle_weights
from live_analysis.reconstruction.lanes import NUM_LANES
from live_analysis.reconstruction.ramp_filter import RampFilter
from live_analysis.reconstruction.smoothed_spline import read_columns

AT_COLUMNS = np.zeros(1)


@dataclass(frozen=True)
class AstraEngine:
    """Back projection by ASTRA, row by row.

    Attributes
    ----------
    num_threads
        Rows that are worked on at once.
    """

    num_threads: int = 2
    name: str = "astra"

    def __post_init__(self) -> None:
        check_threads(self.num_threads)

    def reconstruct(self, scan: Scan) -> NDArray[np.float32]:
        """Return attenuation in 1/cm: see `Engine`."""
        check(scan)
        num_frames, num_rows, num_columns = scan.integrals.shape
        weights = angle_weights(scan.angles_deg).weights_rad.astype(np.float32)
        detector = _detector(scan)
        volume = np.empty((num_rows, num_columns, num_columns), np.float32)

        ramp = RampFilter(
            min(num_rows, NUM_LANES),
            num_columns,
            scan.pixel_size_um,
            taper_columns=scan.taper_columns,
            num_threads=self.num_threads,
        )
        buffer = ramp.new_buffer(num_frames)

        def do(row: int) -> None:
            filtered = read_columns(buffer[0, ..., row % NUM_LANES, None], AT_COLUMNS)[..., 0, 0]
            # ASTRA's first row is the one of greatest y.
            volume[row] = _back_project(filtered * weights[:, None], detector)[::-1]

        with ThreadPoolExecutor(self.num_threads) as pool:
            for first in range(0, num_rows, NUM_LANES):
                rows = range(first, min(first + NUM_LANES, num_rows))
                frames = np.zeros((num_frames, ramp.num_rows, num_columns), np.float32)
                frames[:, : len(rows)] = scan.integrals[:, rows.start : rows.stop]
                ramp.filter(frames, buffer, 0)
                list(pool.map(do, rows))
        blank_unseen(volume, scan.axis_column)
        return volume


def _detector(scan: Scan) -> dict[str, object]:
    """Describe the detector by vectors, which place the axis at any fraction of a column."""
    num_columns = scan.integrals.shape[2]
    theta = np.radians(scan.angles_deg)
    along = np.stack([np.cos(theta), np.sin(theta)], axis=1)
    rays = np.stack([np.sin(theta), -np.cos(theta)], axis=1)
    middle = ((num_columns - 1) / 2 - scan.axis_column) * along
    found: dict[str, object] = astra.create_proj_geom("parallel_vec", num_columns, np.hstack([rays, middle, along]))
    return found


def _back_project(sinogram: NDArray[np.float32], detector: dict[str, object]) -> NDArray[np.float32]:
    """Sum a sinogram (projection, column) along its rays; ASTRA's own copies are freed whatever happens."""
    num_columns = sinogram.shape[1]
    square = astra.create_vol_geom(num_columns, num_columns)
    projector = astra.create_projector("linear", detector, square)
    given = astra.data2d.create("-sino", detector, sinogram)
    result = astra.data2d.create("-vol", square, 0.0)
    settings = astra.astra_dict("BP")
    settings |= {"ProjectorId": projector, "ProjectionDataId": given, "ReconstructionDataId": result}
    algorithm = astra.algorithm.create(settings)
    try:
        astra.algorithm.run(algorithm)
        return np.asarray(astra.data2d.get(result), np.float32)
    finally:
        astra.algorithm.delete(algorithm)
        astra.data2d.delete([given, result])
        astra.projector.delete(projector)
