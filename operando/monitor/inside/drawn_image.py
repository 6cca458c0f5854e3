"""Numbers as an image for Qt, made in the thread that reads so that the window has only to paint it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6 import QtGui

from operando.monitor.inside.colour_scale import NUM_COLOURS, ColourScale, colour_index, colour_table

MASK_SHARE = 0.6  # of its colour in what a mask covers; the rest shows what lies beneath


@dataclass(frozen=True, eq=False)
class DrawnImage:
    """An image and the array that it lies in, which must live as long."""

    image: QtGui.QImage
    pixels: NDArray[np.uint32]


def draw_values(
    values: NDArray[np.float32],
    scale: ColourScale,
    mask: NDArray[np.uint8] | None = None,
    mask_colours: tuple[str, ...] = (),
) -> DrawnImage:
    """Draw numbers, shape (row, column); NaN gets a colour of its own.

    Parameters
    ----------
    values, scale
        What is drawn and how.
    mask
        Same shape, 0 where nothing is laid over, else the number of a colour from 1 on.
    mask_colours
        These colours, as ``#rrggbb``.
    """
    table, index = colour_table(scale), colour_index(scale, values)
    if mask is None or not mask_colours:
        return _image(np.take(table, index))
    tables = np.concatenate([table, *(_mixed(table, colour) for colour in mask_colours)])
    layer = np.where(mask <= len(mask_colours), mask, 0).astype(np.uint16)
    return _image(np.take(tables, layer * np.uint16(NUM_COLOURS) + index))


def draw_counts(counts: NDArray[np.unsignedinteger], scale: ColourScale) -> DrawnImage:
    """Draw counts of 8 or 16 bit, shape (row, column), by a table of all that there can be."""
    every = np.arange(np.iinfo(counts.dtype).max + 1, dtype=np.float32)
    return _image(np.take(colour_table(scale)[colour_index(scale, every)], counts))


def draw_image(values: NDArray[np.generic], scale: ColourScale) -> DrawnImage:
    """Draw counts or other numbers, shape (row, column)."""
    if values.dtype in (np.uint8, np.uint16):
        return draw_counts(values, scale)  # type: ignore[arg-type]
    return draw_values(values.astype(np.float32), scale)


def _mixed(table: NDArray[np.uint32], colour: str) -> NDArray[np.uint32]:
    """Return the colours of a table with much of another one."""
    over = int(colour.removeprefix("#"), 16)
    mixed = np.full(len(table), 0xFF000000, np.uint32)
    for shift in (16, 8, 0):
        part = (1 - MASK_SHARE) * ((table >> shift) & 0xFF) + MASK_SHARE * ((over >> shift) & 0xFF)
        mixed |= np.rint(part).astype(np.uint32) << np.uint32(shift)
    return mixed


def _image(pixels: NDArray[np.uint32]) -> DrawnImage:
    pixels = np.ascontiguousarray(pixels, np.uint32)
    height, width = pixels.shape
    return DrawnImage(QtGui.QImage(pixels.data, width, height, 4 * width, QtGui.QImage.Format.Format_RGB32), pixels)
