"""Slices, masks and the grey scale as pictures that a page holds itself."""

import base64
import io

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from operando.model.grey_window import GreyWindow
from operando.session.report.svg_drawing import GREY, Drawing

JPEG_QUALITY = 88
NOT_SEEN = (214, 222, 235)
MASK_COLOURS = {1: (230, 159, 0), 2: (86, 180, 233)}  # high attenuation orange, cracks blue
MASK_OPACITY = 170  # of 255


def averaged(plane: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Average blocks of pixels, NaN where one of them is."""
    height, width = (side // factor for side in plane.shape)
    blocks = plane[: height * factor, : width * factor].reshape(height, factor, width, factor)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def jpeg(plane: NDArray[np.float32], window: GreyWindow) -> str:
    """Return the address that holds a slice as JPEG; what was not seen is blue-grey."""
    seen = np.isfinite(plane)
    level = window.share(np.where(seen, plane, np.float32(window.black_per_cm)))
    colours = np.repeat((255 * level + 0.5).astype(np.uint8)[:, :, None], 3, axis=2)
    colours[~seen] = NOT_SEEN
    buffer = io.BytesIO()
    Image.fromarray(colours).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def mask_png(mask: NDArray[np.uint8], factor: int) -> str:
    """Return the address that holds a mask as a PNG, clear where nothing is; a crack one voxel thin stays."""
    height, width = (side // factor for side in mask.shape)
    blocks = mask[: height * factor, : width * factor].reshape(height, factor, width, factor)
    colours = np.zeros((height, width, 4), np.uint8)
    for value, colour in MASK_COLOURS.items():
        colours[(blocks == value).any(axis=(1, 3))] = (*colour, MASK_OPACITY)
    buffer = io.BytesIO()
    Image.fromarray(colours).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def grey_scale(window: GreyWindow, unit: str, *, width: int = 372, steps: int = 64) -> Markup:
    """Draw the shared scale from black to white: even greys, so that attenuations lie as a square root has them."""
    drawing = Drawing(width, 52)
    left, span = 14.0, width - 80.0
    for step in range(steps):
        grey = round(255 * step / (steps - 1))
        drawing.box(left + span * step / steps, 4, span / steps + 0.6, 18, f"rgb({grey},{grey},{grey})")
    taken = -40.0
    for value in window.ticks_per_cm():
        x = left + span * float(window.share(np.asarray(value, np.float32)))
        drawing.line(x, 22, x, 27, GREY)
        if x - taken > 26:
            drawing.text(x, 40, f"{value:g}", anchor="middle")
            taken = x
    drawing.text(left + span + 8, 18, unit)
    told = f"Grey scale of all slices: black {window.black_per_cm:g}, white {window.white_per_cm:g} {unit}, square root"
    return drawing.svg(told)
