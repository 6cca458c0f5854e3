"""A picture of three orthogonal slices that can be read on its own: grey levels in 1/cm, scale bar, title."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

MIN_PANEL_SIZE = 240  # picture pixels
PLAIN_PANEL_SIZE = 400  # the layout grows with a larger panel, because large pictures are looked at scaled down
MAX_SCALE_BAR_FRACTION = 0.3  # of a panel's width
INK, PAPER, NOT_SEEN, WARNING = (20, 20, 20), (255, 255, 255), (214, 222, 235), (178, 24, 24)


class _Layout:
    """Lengths in picture pixels, for the largest panel's size."""

    def __init__(self, panel_size: int) -> None:
        growth = max(1.0, panel_size / PLAIN_PANEL_SIZE)
        self.margin, self.gap = round(24 * growth), round(36 * growth)
        self.line_height, self.thickness = round(20 * growth), round(5 * growth)
        self.bar_width, self.bar_text_width = round(22 * growth), round(80 * growth)
        self.notes_width = round(520 * growth)
        self.title_size = round(22 * growth)
        self.title_font, self.font = ImageFont.load_default(self.title_size), ImageFont.load_default(round(15 * growth))


class SlicesPictureError(ValueError):
    """Slices or grey levels of which no picture can be made."""


@dataclass(frozen=True)
class OrthogonalSlices:
    """Three slices through one point, in 1/cm, NaN where the view did not reach.

    Shapes: ``xy`` (y, x), ``xz`` (z, x), ``yz`` (z, y); row 0 of z is the top of the view.
    """

    xy: NDArray[np.float32]
    xz: NDArray[np.float32]
    yz: NDArray[np.float32]
    voxel_size_um: float


def slices_picture(
    slices: OrthogonalSlices,
    *,
    tomogram: str,
    voltage_v: float | None,
    grey_levels_per_cm: tuple[float, float],
    rehearsal: bool,
    grey_values_absolute: bool = True,
) -> bytes:
    """Draw three orthogonal slices as a PNG.

    Parameters
    ----------
    slices
        What to show.
    tomogram, voltage_v
        Name and cell voltage for the title; None where no voltage is known.
    grey_levels_per_cm
        Attenuation of black and of white. Keep them for all tomograms of an experiment, so that pictures compare.
    rehearsal
        Whether the cell is simulated; the title then says REHEARSAL.
    grey_values_absolute
        False where truncation left offset and gain unknown; the picture then says so.

    Returns
    -------
    bytes
        A PNG file.

    Raises
    ------
    SlicesPictureError
        If white is not above black.
    """
    black, white = grey_levels_per_cm
    if not white > black:
        raise SlicesPictureError(f"white ({white} /cm) must lie above black ({black} /cm).")
    scale = max(1, -(-MIN_PANEL_SIZE // max(slices.xy.shape)))
    panels = {
        "xy (seen along the axis)": _grey_image(slices.xy, black, white, scale),
        "xz": _grey_image(slices.xz, black, white, scale),
        "yz": _grey_image(slices.yz, black, white, scale),
    }
    top, xz, yz = panels.values()
    layout = _Layout(max(top.size))
    title_font, font = layout.title_font, layout.font
    title = _title(tomogram, voltage_v)
    warning = "REHEARSAL (simulated cell)" if rehearsal else ""
    pixel_um = slices.voxel_size_um / scale
    right_column = top.width + layout.gap
    content_width = max(
        right_column + max(xz.width, yz.width) + layout.gap + layout.bar_width + layout.bar_text_width,
        layout.notes_width,
    )
    title_width = int(title_font.getlength(title) + title_font.getlength(warning)) + layout.gap
    top_of_panels = layout.margin + layout.title_size + 2 * layout.line_height
    right_height = xz.height + layout.line_height + layout.gap + yz.height
    panel_height = max(top.height, right_height)
    width = 2 * layout.margin + max(content_width, title_width)
    height = top_of_panels + panel_height + layout.gap + layout.line_height + layout.margin
    picture = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(picture)
    draw.text((layout.margin, layout.margin), title, INK, title_font)
    draw.text((width - layout.margin, layout.margin), warning, WARNING, title_font, anchor="ra")
    places = (
        (layout.margin, top_of_panels),
        (layout.margin + right_column, top_of_panels),
        (layout.margin + right_column, top_of_panels + xz.height + layout.line_height + layout.gap),
    )
    for (name, panel), (x, y) in zip(panels.items(), places, strict=True):
        draw.text((x, y - 4), name, INK, font, anchor="ld")
        picture.paste(panel, (x, y))
    _draw_scale_bar(draw, (layout.margin, top_of_panels + top.height + layout.margin // 2), top.width, pixel_um, layout)
    bar_left = layout.margin + right_column + max(xz.width, yz.width) + layout.gap
    _draw_grey_bar(picture, draw, (bar_left, top_of_panels), panel_height, (black, white), layout)
    draw.text((bar_left, top_of_panels - 6), "1/cm", INK, font, anchor="ld")
    if not grey_values_absolute:
        draw.text(
            (layout.margin, height - layout.margin), "grey values: offset and gain unknown", WARNING, font, anchor="ld"
        )
    draw.text((width - layout.margin, height - layout.margin), "blue-grey: outside the view", INK, font, anchor="rd")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _title(tomogram: str, voltage_v: float | None) -> str:
    return f"Tomogram {tomogram}" if voltage_v is None else f"Tomogram {tomogram} at {voltage_v:.3f} V"


def _grey_image(values: NDArray[np.float32], black: float, white: float, scale: int) -> Image.Image:
    """Turn a slice into an image, each voxel a square; points that were not seen get a colour, not a grey."""
    seen = np.isfinite(values)
    level = np.clip((np.where(seen, values, black) - black) / (white - black), 0, 1)
    colours = np.repeat((255 * level + 0.5).astype(np.uint8)[:, :, None], 3, axis=2)
    colours[~seen] = NOT_SEEN
    return Image.fromarray(np.repeat(np.repeat(colours, scale, axis=0), scale, axis=1))


def _round_length_um(longest_um: float) -> float:
    """Largest of 1, 2, 5, 10, 20, ... um that is not longer than asked."""
    power = 10.0 ** np.floor(np.log10(longest_um))
    return float(max(step * power for step in (1, 2, 5) if step * power <= longest_um))


def _draw_scale_bar(
    draw: ImageDraw.ImageDraw, place: tuple[int, int], panel_width: int, pixel_um: float, layout: _Layout
) -> None:
    length_um = _round_length_um(MAX_SCALE_BAR_FRACTION * panel_width * pixel_um)
    length = round(length_um / pixel_um)
    x, y = place
    draw.rectangle((x, y, x + length, y + layout.thickness), INK)
    beside = x + length + 2 * layout.thickness, y + layout.thickness // 2
    draw.text(beside, f"{length_um:g} um", INK, layout.font, anchor="lm")


def _draw_grey_bar(
    picture: Image.Image,
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    height: int,
    levels: tuple[float, float],
    layout: _Layout,
) -> None:
    """Draw white at the top, black at the bottom, and the attenuation at five places."""
    x, y = place
    ramp = np.linspace(255, 0, height).astype(np.uint8)
    picture.paste(Image.fromarray(np.repeat(ramp[:, None], layout.bar_width, axis=1)), (x, y))
    draw.rectangle((x, y, x + layout.bar_width - 1, y + height - 1), outline=INK)
    black, white = levels
    for fraction in (0.0, 0.25, 0.5, 0.75, 1.0):
        tick = y + round((1 - fraction) * (height - 1))
        draw.line((x + layout.bar_width, tick, x + layout.bar_width + layout.thickness, tick), INK)
        beside = x + layout.bar_width + 2 * layout.thickness, tick
        draw.text(beside, f"{black + fraction * (white - black):.3g}", INK, layout.font, anchor="lm")
