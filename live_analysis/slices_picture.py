"""A picture of three orthogonal slices that can be read on its own: grey levels in 1/cm, scale bar, title."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from live_analysis.reconstruction.ramp_filter import UM_PER_CM
from operando.model.grey_window import PERCENTILES, GreyWindow

MIN_PANEL_SIZE = 240  # picture pixels
PLAIN_PANEL_SIZE = 400  # the layout grows with a larger panel, because large pictures are looked at scaled down
WHOLE_COVERAGE = 0.95  # of the half turn: less is seen in slices
MAX_SCALE_BAR_FRACTION = 0.3  # of a panel's width
INK, PAPER, NOT_SEEN, WARNING = (20, 20, 20), (255, 255, 255), (214, 222, 235), (178, 24, 24)


class _Layout:
    """Lengths in picture pixels, for the largest panel's size."""

    def __init__(self, panel_size: int) -> None:
        growth = max(1.0, panel_size / PLAIN_PANEL_SIZE)
        self.margin, self.gap = round(24 * growth), round(36 * growth)
        self.line_height, self.thickness = round(20 * growth), round(5 * growth)
        self.bar_width, self.bar_text_width = round(22 * growth), round(80 * growth)
        self.notes_width = round(860 * growth)
        self.title_size = round(22 * growth)
        self.title_font, self.font = ImageFont.load_default(self.title_size), ImageFont.load_default(round(15 * growth))


@dataclass(frozen=True)
class OrthogonalSlices:
    """Three slices through one point, NaN where the view did not reach; in 1/cm, or 1/voxel without a voxel size.

    Shapes: ``xy`` (y, x), ``xz`` (z, x), ``yz`` (z, y); row 0 of z is the top of the view.
    """

    xy: NDArray[np.float32]
    xz: NDArray[np.float32]
    yz: NDArray[np.float32]
    voxel_size_um: float | None

    @property
    def unit(self) -> str:
        """Unit of the values."""
        return "1/voxel" if self.voxel_size_um is None else "1/cm"

    def per_voxel(self, voxel_size_um: float) -> "OrthogonalSlices":
        """Return slices whose voxel size only stands in for an unknown one, without it."""
        xy, xz, yz = (plane * np.float32(voxel_size_um / UM_PER_CM) for plane in (self.xy, self.xz, self.yz))
        return OrthogonalSlices(xy, xz, yz, None)


def slices_picture(
    slices: OrthogonalSlices,
    *,
    tomogram: str,
    voltage_v: float | None,
    window: GreyWindow,
    mark: str,
    grey_values_absolute: bool = True,
    coverage: float = 1.0,
) -> bytes:
    """Draw three orthogonal slices as a PNG.

    Parameters
    ----------
    slices
        What to show.
    tomogram, voltage_v
        Name and cell voltage for the title; None where no voltage is known.
    window
        Attenuation of black and of white, as `grey_window` chooses it; the picture states it.
    mark
        Words in red beside the title, as for a simulated cell; empty for none.
    grey_values_absolute
        False where truncation left offset and gain unknown; the picture then says so.
    coverage
        Part of the half turn that was seen; the picture says so if some of it is missing.

    Returns
    -------
    bytes
        A PNG file.
    """
    scale = max(1, -(-MIN_PANEL_SIZE // max(slices.xy.shape)))
    panels = {
        "xy (seen along the axis)": _grey_image(slices.xy, window, scale),
        "xz": _grey_image(slices.xz, window, scale),
        "yz": _grey_image(slices.yz, window, scale),
    }
    top, xz, yz = panels.values()
    layout = _Layout(max(top.size))
    title_font, font = layout.title_font, layout.font
    title = _title(tomogram, voltage_v)
    pixel_size = (1.0 if slices.voxel_size_um is None else slices.voxel_size_um) / scale
    right_column = top.width + layout.gap
    content_width = max(
        right_column + max(xz.width, yz.width) + layout.gap + layout.bar_width + layout.bar_text_width,
        layout.notes_width,
    )
    title_width = int(title_font.getlength(title) + title_font.getlength(mark)) + layout.gap
    top_of_panels = layout.margin + layout.title_size + 2 * layout.line_height
    right_height = xz.height + layout.line_height + layout.gap + yz.height
    panel_height = max(top.height, right_height)
    width = 2 * layout.margin + max(content_width, title_width)
    warnings = _warnings(grey_values_absolute, coverage)
    height = top_of_panels + panel_height + layout.gap + (2 + len(warnings)) * layout.line_height + layout.margin
    picture = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(picture)
    draw.text((layout.margin, layout.margin), title, INK, title_font)
    draw.text((width - layout.margin, layout.margin), mark, WARNING, title_font, anchor="ra")
    places = (
        (layout.margin, top_of_panels),
        (layout.margin + right_column, top_of_panels),
        (layout.margin + right_column, top_of_panels + xz.height + layout.line_height + layout.gap),
    )
    for (name, panel), (x, y) in zip(panels.items(), places, strict=True):
        draw.text((x, y - 4), name, INK, font, anchor="ld")
        picture.paste(panel, (x, y))
    bar_place = (layout.margin, top_of_panels + top.height + layout.margin // 2)
    length_unit = "voxels (their size is unknown)" if slices.voxel_size_um is None else "um"
    _draw_scale_bar(draw, bar_place, top.width, pixel_size, length_unit, layout)
    bar_left = layout.margin + right_column + max(xz.width, yz.width) + layout.gap
    _draw_grey_bar(picture, draw, (bar_left, top_of_panels), panel_height, window, layout)
    draw.text((bar_left, top_of_panels - 6), slices.unit, INK, font, anchor="ld")
    draw.text((layout.margin, height - layout.margin), _about_greys(window, slices.unit), INK, font, anchor="ld")
    for line, warning in enumerate(warnings, start=1):
        above = height - layout.margin - line * layout.line_height
        draw.text((layout.margin, above), warning, WARNING, font, anchor="ld")
    draw.text((width - layout.margin, height - layout.margin), "blue-grey: outside the view", INK, font, anchor="rd")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _title(tomogram: str, voltage_v: float | None) -> str:
    return f"Tomogram {tomogram}" if voltage_v is None else f"Tomogram {tomogram} at {voltage_v:.3f} V"


def _warnings(grey_values_absolute: bool, coverage: float) -> list[str]:
    warnings = []
    if not grey_values_absolute:
        warnings.append("grey values: offset and gain unknown")
    if coverage < WHOLE_COVERAGE:
        warnings.append(f"{coverage:.0%} of the directions: smeared along the missing ones")
    return warnings


def _about_greys(window: GreyWindow, unit: str) -> str:
    return (
        f"black {window.black_per_cm:g}, white {window.white_per_cm:g} {unit} (holds {PERCENTILES[0]:g} to "
        f"{PERCENTILES[1]:g} % of the voxels), square-root scale"
    )


def _grey_image(values: NDArray[np.float32], window: GreyWindow, scale: int) -> Image.Image:
    """Turn a slice into an image, each voxel a square; points that were not seen get a colour, not a grey."""
    seen = np.isfinite(values)
    level = window.share(np.where(seen, values, np.float32(window.black_per_cm)))
    colours = np.repeat((255 * level + 0.5).astype(np.uint8)[:, :, None], 3, axis=2)
    colours[~seen] = NOT_SEEN
    return Image.fromarray(np.repeat(np.repeat(colours, scale, axis=0), scale, axis=1))


def _round_length(longest: float) -> float:
    """Largest of 1, 2, 5, 10, 20, ... that is not longer than asked."""
    power = 10.0 ** np.floor(np.log10(longest))
    return float(max(step * power for step in (1, 2, 5) if step * power <= longest))


def _draw_scale_bar(
    draw: ImageDraw.ImageDraw, place: tuple[int, int], panel_width: int, pixel_size: float, unit: str, layout: _Layout
) -> None:
    told = _round_length(MAX_SCALE_BAR_FRACTION * panel_width * pixel_size)
    length = round(told / pixel_size)
    x, y = place
    draw.rectangle((x, y, x + length, y + layout.thickness), INK)
    beside = x + length + 2 * layout.thickness, y + layout.thickness // 2
    draw.text(beside, f"{told:g} {unit}", INK, layout.font, anchor="lm")


def _draw_grey_bar(
    picture: Image.Image,
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    height: int,
    window: GreyWindow,
    layout: _Layout,
) -> None:
    """Draw white at the top, black at the bottom, and round attenuations where the square-root scale has them."""
    x, y = place
    ramp = np.linspace(255, 0, height).astype(np.uint8)
    picture.paste(Image.fromarray(np.repeat(ramp[:, None], layout.bar_width, axis=1)), (x, y))
    draw.rectangle((x, y, x + layout.bar_width - 1, y + height - 1), outline=INK)
    lowest = y + height + layout.line_height
    for value in window.ticks_per_cm():
        tick = y + round((1 - float(window.share(np.asarray(value, np.float32)))) * (height - 1))
        if lowest - tick < layout.line_height:  # the square root crowds the bright end; black's own label goes first
            continue
        lowest = tick
        draw.line((x + layout.bar_width, tick, x + layout.bar_width + layout.thickness, tick), INK)
        beside = x + layout.bar_width + 2 * layout.thickness, tick
        draw.text(beside, f"{value:g}", INK, layout.font, anchor="lm")
