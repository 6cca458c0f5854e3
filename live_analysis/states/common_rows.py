"""The rows of two regions that lie at the same heights: what hides a row, as the edge of a piston, may move."""

from live_analysis.region_file import RegionState


def common_rows(one: RegionState, other: RegionState) -> tuple[slice, slice, float]:
    """Select in both regions the heights that both hold; also where these end, in um above the bottom of the view.

    Both slices are of one length, which is zero where they share no row.
    """
    tops = [state.num_rows - state.first_row for state in (one, other)]  # in rows above the bottom of the view
    bottoms = [top - len(state.values_per_cm) for top, state in zip(tops, (one, other), strict=True)]
    top, bottom = min(tops), max(bottoms)
    num = max(top - bottom, 0)
    rows, other_rows = (slice(own - top, own - top + num) for own in tops)
    return rows, other_rows, top * one.voxel_size_um
