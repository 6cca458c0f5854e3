"""Where panels of given proportions go so that they are as large as their place allows, all at one scale."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A rectangle; x to the right and y downwards, in pixels of the screen."""

    x: float
    y: float
    width: float
    height: float

    def share(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point lies in it, from 0 to 1 in each direction; points outside count as on the edge."""
        return min(max((x - self.x) / self.width, 0.0), 1.0), min(max((y - self.y) / self.height, 0.0), 1.0)

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies in it."""
        return self.x <= x <= self.x + self.width and self.y <= y <= self.y + self.height


def arranged(
    sizes: Mapping[str, tuple[float, float]],
    columns: tuple[tuple[tuple[str, ...], ...], ...],
    area: Place,
    *,
    gap: float,
    above: float,
) -> dict[str, Place]:
    """Choose of several arrangements the one that shows the panels largest.

    Parameters
    ----------
    sizes
        Width and height of each panel, in one unit.
    columns
        The arrangements: names from left to right, in each column from top to bottom. Panels without a size are left
        out.
    area
        The place for all of them.
    gap, above
        Room between columns, and above each panel for its title.

    Returns
    -------
    dict[str, Place]
        The panels of ``sizes``, without their titles.
    """
    return max(
        (
            _in_columns(sizes, [[name for name in column if name in sizes] for column in choice], area, gap, above)
            for choice in columns
        ),
        key=lambda places: sum(place.width for place in places.values()),
    )


def _in_columns(
    sizes: Mapping[str, tuple[float, float]], columns: list[list[str]], area: Place, gap: float, above: float
) -> dict[str, Place]:
    filled = [column for column in columns if column]
    widths = [max(sizes[name][0] for name in column) for column in filled]
    heights = [sum(sizes[name][1] for name in column) for column in filled]
    scale = max(
        min(
            (area.width - gap * (len(filled) - 1)) / sum(widths),
            *((area.height - above * len(column)) / height for column, height in zip(filled, heights, strict=True)),
        ),
        0.0,
    )
    places, x = {}, area.x
    for column, width in zip(filled, widths, strict=True):
        y = area.y
        for name in column:
            y += above
            places[name] = Place(x, y, scale * sizes[name][0], scale * sizes[name][1])
            y += places[name].height
        x += scale * width + gap
    return places
