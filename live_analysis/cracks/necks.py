"""Sheets cut at their necks: cracks at the same height that touch at their rims are two."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed

from live_analysis.cracks.sheets import Sheets

# Half widths at which a sheet is tried to come apart, up to that of a neck between the largest cracks.
NECKS_UM = np.arange(28.0, 160.0, 7.0)
# Than its neck: what is told apart. In simulated cells with 20 to 50 cracks no crack fell into parts at 1.2 or 1.3.
THICKER = 1.2
PARTICLE_RADIUS_UM = 35.0  # of the largest with its rim


def cut_at_necks(sheets: Sheets, spacing_um: float) -> Sheets:
    """Cut each sheet, seen along the rotation axis, where its parts are clearly wider than what joins them.

    Parameters
    ----------
    sheets
        Of blocks.
    spacing_um
        Of neighbouring blocks across the rotation axis.
    """
    _, y, x = sheets.index
    parts = np.zeros(sheets.sheet.size, np.int64)
    num = 0
    if not sheets.sheet.size:
        return sheets
    order = np.argsort(sheets.sheet, kind="stable")
    for chosen in np.split(order, np.flatnonzero(np.diff(sheets.sheet[order])) + 1):
        place = y[chosen] - y[chosen].min() + 1, x[chosen] - x[chosen].min() + 1
        outline = np.zeros((place[0].max() + 2, place[1].max() + 2), bool)
        outline[place] = True
        labels = _parts(outline, spacing_um)
        parts[chosen] = labels[place] - 1 + num
        num += int(labels.max())
    return replace(sheets, sheet=parts)


def _parts(outline: NDArray[np.bool_], spacing_um: float) -> NDArray[np.int64]:
    """Return the parts of a sheet, numbered from 1; particles that a crack goes around are no necks."""
    filled = _without_particles(outline, spacing_um)
    depth_um = spacing_um * ndimage.distance_transform_edt(filled)
    cores = list(_cores(filled, depth_um, 0))
    if len(cores) < 2:
        return filled.astype(np.int64)
    markers = sum(number * core for number, core in enumerate(cores, start=1))
    return np.asarray(watershed(-depth_um, markers, mask=filled), np.int64)


def _without_particles(outline: NDArray[np.bool_], spacing_um: float) -> NDArray[np.bool_]:
    """Fill holes as small as particles; a larger one lies between cracks."""
    labels, count = ndimage.label(ndimage.binary_fill_holes(outline) & ~outline)
    small = np.bincount(labels.ravel(), minlength=count + 1) * spacing_um**2 < np.pi * PARTICLE_RADIUS_UM**2
    small[0] = False
    return np.asarray(outline | small[labels])


def _cores(part: NDArray[np.bool_], depth_um: NDArray[np.float64], begin: int) -> Iterator[NDArray[np.bool_]]:
    """Narrow a part until it comes apart, and its parts likewise; what never does is one core."""
    for index in range(begin, NECKS_UM.size):
        labels, count = ndimage.label(part & (depth_um > NECKS_UM[index]))
        deepest_um = ndimage.maximum(depth_um, labels, np.arange(1, count + 1))
        wide = np.flatnonzero(deepest_um > THICKER * NECKS_UM[index]) + 1
        if not wide.size:
            break
        if wide.size > 1:
            for number in wide:
                yield from _cores(labels == number, depth_um, index + 1)
            return
        part = labels == wide[0]
    yield part
