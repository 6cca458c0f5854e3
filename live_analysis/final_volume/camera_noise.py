"""The camera's noise, told by a scan's own flats and darks."""

import numpy as np

from live_analysis.final_volume.beam import Beam
from live_analysis.final_volume.raw_scan import RawScan, VolumeError
from live_analysis.reconstruction.integral_variance import Counting, NoiseError, counting_of

ROWS = 64  # in the middle of those that the beam comes through: enough for 1 % with ten flats of 300 columns


def measure_counting(scan: RawScan, beam: Beam, seen: slice) -> Counting:
    """Measure photons per count and the darks' variance.

    Raises
    ------
    VolumeError
        If flats and darks do not tell them.
    """
    middle = (seen.start + seen.stop) // 2
    first, stop = max(seen.start, middle - ROWS // 2), min(seen.stop, middle + ROWS // 2)
    darks, flats = (
        stack.rows(0, stack.shape[0], first, stop)[good]
        for stack, good in ((scan.darks, beam.good_darks), (scan.flats, beam.good_flats))
    )
    used = ~beam.broken.mask[first:stop].any(axis=0)
    try:
        # Columns with a broken pixel are left out whole: neighbours must stay neighbours in most places only.
        return counting_of(np.asarray(flats[:, :, used]), np.asarray(darks[:, :, used]))
    except NoiseError as error:
        raise VolumeError(f"{scan.source}: the noise of voxels is not known: {error} Or leave out --noise.") from error
