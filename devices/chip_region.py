"""The part of a camera's chip that is read out: binned, centred unless said otherwise, checked against the chip."""

from dataclasses import dataclass


class ChipRegionError(ValueError):
    """A region that does not fit the chip."""


@dataclass(frozen=True)
class ChipRegion:
    """A region of ``num_columns`` x ``num_rows`` binned pixels; offsets are in unbinned pixels, ``None`` is centred."""

    num_columns: int
    num_rows: int
    binning: int = 1
    first_column: int | None = None
    first_row: int | None = None


@dataclass(frozen=True)
class ChipSettings:
    """A region as areaDetector wants it: offsets and sizes in unbinned pixels."""

    bin_x: int
    bin_y: int
    min_x: int
    min_y: int
    size_x: int
    size_y: int


def chip_settings(region: ChipRegion, *, chip_columns: int, chip_rows: int, name: str = "camera") -> ChipSettings:
    """Place a region on a chip.

    Raises
    ------
    ChipRegionError
        If it is empty or larger than the chip, or its offset pushes it over the edge.
    """
    first: list[int] = []
    for side, num, chip, asked in (
        ("columns", region.num_columns, chip_columns, region.first_column),
        ("rows", region.num_rows, chip_rows, region.first_row),
    ):
        size = num * region.binning
        begin = (chip - size) // 2 if asked is None else asked
        if size < 1 or begin < 0 or begin + size > chip:
            raise ChipRegionError(
                f"{name}: {num} {side} at binning {region.binning} from pixel {begin} need {size} pixels up to "
                f"{begin + size}, but the chip has {chip} {side}. Correct num_{side} or binning in the geometry."
            )
        first.append(begin)
    return ChipSettings(
        bin_x=region.binning,
        bin_y=region.binning,
        min_x=first[0],
        min_y=first[1],
        size_x=region.num_columns * region.binning,
        size_y=region.num_rows * region.binning,
    )
