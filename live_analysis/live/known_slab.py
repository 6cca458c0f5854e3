"""A slab of the view whose attenuation is known: it tells whether the declared cell is the one that was scanned."""

import numpy as np
from numpy.typing import NDArray

from live_analysis.grey_scale import LARGEST_REFERENCE_ERROR
from live_analysis.region_volume import rows_of
from operando.model.experiment import GreyReference


def contradicts(
    known: GreyReference, values_per_cm: NDArray[np.float32], first_row: int, num_rows: int, voxel_size_um: float
) -> bool:
    """Whether the known material comes out more than 3 % beside its attenuation; False if none of it is seen.

    Parameters
    ----------
    values_per_cm
        Shape (row, y, x), about the rotation axis, NaN outside the view.
    first_row, num_rows
        Which row of the view is the first of the volume, and how many the view has, in voxels.
    """
    values = values_of_slab(known, values_per_cm, first_row, num_rows, voxel_size_um)
    return bool(values.size) and abs(float(np.median(values)) - known.attenuation) > (
        LARGEST_REFERENCE_ERROR * known.attenuation
    )


def values_of_slab(
    known: GreyReference, values_per_cm: NDArray[np.float32], first_row: int, num_rows: int, voxel_size_um: float
) -> NDArray[np.float32]:
    """Return the values seen of the known material, shape (voxel,); see `contradicts`."""
    rows = rows_of(known.bottom, known.top, num_rows, voxel_size_um)
    seen = values_per_cm[max(rows.start - first_row, 0) : max(rows.stop - first_row, 0)]
    places_um = (np.arange(values_per_cm.shape[2]) - (values_per_cm.shape[2] - 1) / 2) * voxel_size_um
    values = seen[:, np.hypot(places_um[:, None], places_um) <= known.radius]
    return np.asarray(values[np.isfinite(values)])
