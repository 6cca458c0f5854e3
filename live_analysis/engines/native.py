"""Reconstruction by this project's own hierarchical back projection."""

from collections.abc import Iterator
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from live_analysis.engines.checked_scan import check, check_threads
from live_analysis.engines.engine import Scan
from live_analysis.reconstruction.angle_weights import angle_weights
from live_analysis.reconstruction.hierarchical_sum import HierarchicalSum, typical_step
from live_analysis.reconstruction.lanes import NUM_LANES


@dataclass(frozen=True)
class NativeEngine:
    """Hierarchical back projection, sixteen rows at a time; slabs of a multiple of sixteen rows cost least.

    Apart from what it returns it holds one volume of sixteen rows and the projections of some six degrees.

    Attributes
    ----------
    num_threads
        Threads, 1 to numba's own number (``NUMBA_NUM_THREADS``).
    """

    num_threads: int = 2
    name: str = "native"

    def __post_init__(self) -> None:
        check_threads(self.num_threads, most=numba.config.NUMBA_NUM_THREADS)

    def reconstruct(self, scan: Scan) -> NDArray[np.float32]:
        """Return attenuation in 1/cm: see `Engine`."""
        check(scan)
        threads_before = numba.get_num_threads()
        numba.set_num_threads(self.num_threads)
        try:
            return _reconstruct(scan, self.num_threads)
        finally:
            numba.set_num_threads(threads_before)


def _reconstruct(scan: Scan, num_threads: int) -> NDArray[np.float32]:
    num_rows, num_columns = scan.integrals.shape[1:]
    angles_rad = np.radians(np.mod(scan.angles_deg, 360.0))
    weights = angle_weights(scan.angles_deg).weights_rad
    total = HierarchicalSum(
        min(num_rows, NUM_LANES),
        num_columns,
        scan.axis_column,
        scan.pixel_size_um,
        angle_step_rad=typical_step(angles_rad),
        taper_columns=scan.taper_columns,
        num_threads=num_threads,
    )
    filtered = total.new_buffer()
    portions = list(_portions(total, angles_rad))
    volume = np.empty((num_rows, num_columns, num_columns), np.float32)
    for first in range(0, num_rows, NUM_LANES):
        rows = slice(first, min(first + NUM_LANES, num_rows))
        for sector, indices in portions:
            frames = np.zeros((len(indices), total.filter.num_rows, num_columns), np.float32)
            frames[:, : rows.stop - first] = scan.integrals[indices, rows]
            total.filter.filter(frames, filtered, 0)
            total.add(sector, filtered, angles_rad[indices], weights[indices])
        volume[rows] = total.values()[: rows.stop - first]
        total.clear()
    return volume


def _portions(total: HierarchicalSum, angles_rad: NDArray[np.float64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Give the sectors, and in each the indices of as many projections as are added at once."""
    sectors = np.array([total.bundles.place(angle)[0] for angle in angles_rad])
    for sector in np.unique(sectors):
        members = np.flatnonzero(sectors == sector)
        for begin in range(0, len(members), total.num_slots):
            yield int(sector), members[begin : begin + total.num_slots]
