"""Engines by name, as a person chooses them."""

import numpy as np
from numpy.typing import NDArray

from live_analysis.engines.engine import Engine, Scan
from live_analysis.final_volume.raw_scan import VolumeError
from live_analysis.reconstruction.streaming_volume import StreamingVolume


class _Native:
    name = "native"

    def __init__(self, num_threads: int) -> None:
        self._num_threads = num_threads

    def reconstruct(self, scan: Scan) -> NDArray[np.float32]:
        order = np.argsort(np.mod(scan.angles_deg, 180.0), kind="stable")
        integrals, angles_deg = scan.integrals, scan.angles_deg[order]
        volume = StreamingVolume(
            integrals.shape[1],
            integrals.shape[2],
            scan.axis_column,
            scan.pixel_size_um,
            angle_step_deg=180.0 / len(angles_deg),
            taper_columns=scan.taper_columns,
            recall=lambda index: integrals[order[index]],
            num_threads=self._num_threads,
        )
        for first in range(0, len(order), 64):
            volume.add(integrals[order[first : first + 64]], angles_deg[first : first + 64])
        return volume.result().values


def chosen_engine(name: str, num_threads: int) -> Engine:
    """Return an engine.

    Raises
    ------
    VolumeError
        If there is none of that name.
    """
    if name != "native":
        raise VolumeError(f"there is no engine {name!r}; there is: native.")
    return _Native(num_threads)
