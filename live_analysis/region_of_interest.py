"""Which rows and columns of the view are worth reading: where beam comes through, even about the rotation axis."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIN_BEAM = 0.2  # of the brightest rows or columns; a beam's edge is noise to a tomogram
MIN_TRANSMISSION = 0.02  # a piston of steel lets less through
MARGIN_OF_BORE = 0.05  # of its diameter, so that the wall is seen where the view reaches it


class RegionOfInterestError(ValueError):
    """Nothing of the view can be used."""


@dataclass(frozen=True)
class RegionOfInterest:
    """Rows and columns of the view, in its own (binned) pixels; ``holds_bore`` says whether the bore's width fits."""

    first_row: int
    num_rows: int
    first_column: int
    num_columns: int
    holds_bore: bool


def region_of_interest(
    transmission: NDArray[np.float32],
    beam: NDArray[np.float32],
    *,
    axis_column: float,
    pixel_size_um: float,
    bore_diameter_mm: float,
) -> RegionOfInterest:
    """Propose what to read: all usable rows, and columns evenly about the axis with the bore inside, if it fits.

    Parameters
    ----------
    transmission
        Through the sample, shape (row, column), unitless.
    beam
        Flat less dark, same shape, in counts.

    Raises
    ------
    RegionOfInterestError
        If no beam comes through, or the axis does not lie in the lit columns.
    """
    by_row, by_column = np.nanmedian(beam, axis=1), np.nanmedian(beam, axis=0)
    lit_rows, lit_columns = by_row >= MIN_BEAM * by_row.max(), by_column >= MIN_BEAM * by_column.max()
    first_lit, num_lit = _longest(lit_columns & (by_column > 0))
    if num_lit == 0:
        raise RegionOfInterestError("the flat is nowhere brighter than the dark. See whether the beam is on.")
    through = np.nanmedian(transmission[:, first_lit : first_lit + num_lit], axis=1)
    first_row, num_rows = _longest(lit_rows & (by_row > 0) & (through >= MIN_TRANSMISSION))
    if num_rows == 0:
        raise RegionOfInterestError(
            f"nowhere comes more than {MIN_TRANSMISSION:.0%} of the beam through (at most {np.nanmax(through):.2%} in "
            "a row). See whether a piston stands in the view."
        )
    half = min(axis_column - (first_lit - 0.5), first_lit + num_lit - 0.5 - axis_column)
    if half < 1:
        raise RegionOfInterestError(
            f"the rotation axis at column {axis_column:.1f} lies outside the lit columns or at their edge, "
            f"{first_lit} to {first_lit + num_lit - 1}. Move it into the beam."
        )
    half_bore = (0.5 + MARGIN_OF_BORE) * bore_diameter_mm * 1e3 / pixel_size_um
    holds_bore = half >= half_bore
    half = min(half, half_bore)
    first_column = int(np.ceil(axis_column - half))
    return RegionOfInterest(
        first_row, num_rows, first_column, int(np.floor(axis_column + half)) - first_column + 1, holds_bore
    )


def _longest(usable: NDArray[np.bool_]) -> tuple[int, int]:
    """Return begin and length of the longest stretch."""
    steps = np.diff(np.concatenate([[0], usable.astype(np.int8), [0]]))
    begins, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    if not len(begins):
        return 0, 0
    best = int(np.argmax(ends - begins))
    return int(begins[best]), int(ends[best] - begins[best])
