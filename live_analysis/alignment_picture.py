"""A picture of an alignment: the radiograph with axis and proposed region, and how the half-turn pair differs."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from live_analysis.axis_of_pair import AxisOfPair
from live_analysis.region_of_interest import RegionOfInterest

PANEL_WIDTH = 1100  # picture pixels
MARGIN, LINE = 28, 24
TITLE_SIZES = (24, 20, 16)
PERCENTILES = (0.5, 99.5)
INK, PAPER, NOT_SEEN, WARNING = (20, 20, 20), (255, 255, 255), (214, 222, 235), (178, 24, 24)
AXIS_COLOUR, REGION_COLOUR = (0, 150, 255), (255, 140, 0)
BELOW, ABOVE = np.array((33, 102, 172)), np.array((178, 24, 43))  # colours that the colour-blind can tell
DASH = 14

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class AlignmentView:
    """What is drawn; arrays have shape (row, column), NaN where nothing is known.

    ``transmission`` is that of the first shot; ``difference`` is the attenuation integral of the first less that of
    the second mirrored about the axis. Both are unitless.
    """

    transmission: NDArray[np.float32]
    difference: NDArray[np.float32]
    axis: AxisOfPair
    region: RegionOfInterest
    pixel_size_um: float


def mirrored_about(frame: NDArray[np.float32], axis_column: float) -> NDArray[np.float32]:
    """Mirror a frame of shape (row, column) about a column, interpolated; NaN where it was not seen."""
    num_columns = frame.shape[1]
    source = 2 * axis_column - np.arange(num_columns)
    inside = (source >= 0) & (source <= num_columns - 1)
    left = np.clip(np.floor(source).astype(int), 0, num_columns - 2)
    part = np.float32(source - left)
    mirrored = (1 - part) * frame[:, left] + part * frame[:, left + 1]
    return np.where(inside, mirrored, np.float32(np.nan)).astype(np.float32)


def alignment_picture(view: AlignmentView, *, title: str, mark: str) -> bytes:
    """Draw both panels as a PNG; ``mark`` stands in red beside the title, as for a rehearsal."""
    num_rows, num_columns = view.transmission.shape
    scale = max(1, round(PANEL_WIDTH / num_columns))
    width, height = scale * num_columns, scale * num_rows
    font = ImageFont.load_default(16)
    text_room = 4 * LINE
    picture = Image.new("RGB", (width + 2 * MARGIN, 2 * (height + 2 * LINE) + text_room + 2 * MARGIN), PAPER)
    draw = ImageDraw.Draw(picture)
    mark_font = ImageFont.load_default(TITLE_SIZES[0])
    draw.text((picture.width - MARGIN, MARGIN), mark, WARNING, mark_font, anchor="ra")
    _draw_title(draw, title, picture.width - 3 * MARGIN - round(mark_font.getlength(mark)))

    seen = view.transmission[np.isfinite(view.transmission)]
    black, white = (float(value) for value in np.percentile(seen, PERCENTILES))
    top = MARGIN + 3 * LINE
    draw.text((MARGIN, top - 6), f"transmission, black {black:.3g}, white {white:.3g}", INK, font, anchor="ld")
    picture.paste(_grey(view.transmission, black, white, scale), (MARGIN, top))
    _draw_region(draw, view.region, (MARGIN, top), scale)
    _draw_axis(draw, view.axis, (MARGIN, top), (width, height), num_rows, scale)
    below = top + height + LINE
    _draw_scale_bar(draw, (MARGIN, below - 10), width, view.pixel_size_um / scale, font)
    _draw_legend(draw, (picture.width - MARGIN, below - 2), font)

    spread = float(np.nanpercentile(np.abs(view.difference), PERCENTILES[1]))
    top = below + 2 * LINE
    about = f"difference of the pair, the second mirrored about the axis: blue {-spread:.2g}, red {spread:+.2g} (-log)"
    draw.text((MARGIN, top - 6), about, INK, font, anchor="ld")
    picture.paste(_signed(view.difference, max(spread, 1e-6), scale), (MARGIN, top))
    note = "even grain: the axis is right; edges in blue beside red: it is not. Blue-grey: not in both shots"
    draw.text((MARGIN, top + height + LINE), note, INK, font, anchor="ld")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _draw_title(draw: ImageDraw.ImageDraw, title: str, room: int) -> None:
    """Write a title, smaller or cut where it is too long."""
    size = next(
        (size for size in TITLE_SIZES if ImageFont.load_default(size).getlength(title) <= room), TITLE_SIZES[-1]
    )
    font = ImageFont.load_default(size)
    if font.getlength(title) > room:
        title = f"{title[: int(len(title) * room / font.getlength(title)) - 3]}..."
    draw.text((MARGIN, MARGIN), title, INK, font)


def _grey(values: NDArray[np.float32], black: float, white: float, scale: int) -> Image.Image:
    seen = np.isfinite(values)
    level = np.clip((np.where(seen, values, black) - black) / max(white - black, 1e-9), 0, 1)
    colours = np.repeat((255 * level + 0.5).astype(np.uint8)[:, :, None], 3, axis=2)
    colours[~seen] = NOT_SEEN
    return _enlarged(colours, scale)


def _signed(values: NDArray[np.float32], spread: float, scale: int) -> Image.Image:
    seen = np.isfinite(values)
    level = np.clip(np.where(seen, values, 0) / spread, -1, 1)[:, :, None]
    colours = 255 + np.where(level < 0, -level * (BELOW - 255), level * (ABOVE - 255))
    colours[~seen] = NOT_SEEN
    return _enlarged((colours + 0.5).astype(np.uint8), scale)


def _enlarged(colours: NDArray[np.uint8], scale: int) -> Image.Image:
    return Image.fromarray(np.repeat(np.repeat(colours, scale, axis=0), scale, axis=1))


def _draw_region(draw: ImageDraw.ImageDraw, region: RegionOfInterest, place: tuple[int, int], scale: int) -> None:
    left, top = place[0] + scale * region.first_column, place[1] + scale * region.first_row
    corner = left + scale * region.num_columns - 1, top + scale * region.num_rows - 1
    draw.rectangle((left, top, *corner), outline=REGION_COLOUR, width=3)


def _draw_axis(
    draw: ImageDraw.ImageDraw,
    axis: AxisOfPair,
    place: tuple[int, int],
    size: tuple[int, int],
    num_rows: int,
    scale: int,
) -> None:
    lean = np.tan(np.radians(axis.tilt_deg or 0.0)) * (num_rows - 1) / 2 * scale
    middle = place[0] + scale * (axis.column + 0.5)
    for y in range(0, size[1], 2 * DASH):
        ends = [(middle + lean * (1 - 2 * at / size[1]), place[1] + at) for at in (y, min(y + DASH, size[1] - 1))]
        draw.line(ends, AXIS_COLOUR, 3)


def _draw_scale_bar(draw: ImageDraw.ImageDraw, place: tuple[int, int], width: int, pixel_um: float, font: Font) -> None:
    longest_um = 0.3 * width * pixel_um
    power = 10.0 ** np.floor(np.log10(longest_um))
    length_um = max(step * power for step in (1, 2, 5) if step * power <= longest_um)
    x, y = place
    draw.rectangle((x, y, x + round(length_um / pixel_um), y + 5), INK)
    draw.text((x + round(length_um / pixel_um) + 10, y + 2), f"{length_um:g} um", INK, font, anchor="lm")


def _draw_legend(draw: ImageDraw.ImageDraw, corner: tuple[int, int], font: Font) -> None:
    x, y = corner
    for text, colour in (("proposed region", REGION_COLOUR), ("rotation axis", AXIS_COLOUR)):
        draw.text((x, y), text, INK, font, anchor="rd")
        x -= round(font.getlength(text)) + 10
        draw.line((x - 26, y - 8, x, y - 8), colour, 4)
        x -= 50
