"""How strong the rings of a slice are: what is left of it when it is averaged along circles about the axis.

The slice is sampled on circles one pixel apart and averaged over arcs of 45 degrees, which keeps half rings too. From
each arc's radial profile its median over nine radii is taken off: objects stay in that, rings and a little noise don't.
The measure is the root mean square of what remains, in the unit of the slice.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

NUM_ARCS = 8
POINTS_PER_ARC = 120
SMOOTHED_RADII = 9


def ring_measure(
    slice_yx: NDArray[np.float32], axis_yx: tuple[float, float], *, first_radius: float, last_radius: float
) -> float:
    """Return the strength of rings between two radii in pixels, in the unit of the slice.

    Parameters
    ----------
    slice_yx
        One slice, shape (y, x), finite between the radii.
    axis_yx
        Where the rotation axis is, in pixels of the slice.
    """
    radii = np.arange(first_radius, last_radius)
    phi = 2 * np.pi * (np.arange(NUM_ARCS * POINTS_PER_ARC) + 0.5) / (NUM_ARCS * POINTS_PER_ARC)
    y, x = (axis_yx[k] + radii[:, None] * function(phi)[None, :] for k, function in enumerate((np.sin, np.cos)))
    on_circles = ndimage.map_coordinates(np.asarray(slice_yx, np.float64), (y, x), order=1)
    arcs = np.median(on_circles.reshape(len(radii), NUM_ARCS, POINTS_PER_ARC), axis=2)
    rough = arcs - ndimage.median_filter(arcs, (SMOOTHED_RADII, 1), mode="nearest")
    return float(np.sqrt((rough**2).mean()))
