"""Numbers as an image of greys for Qt."""

import numpy as np
from numpy.typing import NDArray
from PySide6 import QtGui

from operando.model.grey_window import GreyWindow

NOT_SEEN = (44, 54, 70)


def slice_image(values: NDArray[np.float32], window: GreyWindow) -> QtGui.QImage:
    """Draw a slice, shape (row, column): NaN, what was not seen, gets a colour and not a grey."""
    seen = np.isfinite(values)
    level = window.share(np.where(seen, values, np.float32(window.black_per_cm)))
    colours = np.repeat((255 * level + 0.5).astype(np.uint8)[:, :, None], 3, axis=2)
    colours[~seen] = NOT_SEEN
    return colour_image(colours)


def straight_image(values: NDArray[np.generic], levels: tuple[float, float]) -> QtGui.QImage:
    """Draw numbers, shape (row, column), on a straight scale between two levels."""
    low, high = levels
    share = (np.nan_to_num(values.astype(np.float32), nan=low, posinf=high, neginf=low) - low) / (high - low)
    grey = np.ascontiguousarray(255 * np.clip(share, 0, 1) + 0.5, np.uint8)
    height, width = grey.shape
    return QtGui.QImage(grey.data, width, height, width, QtGui.QImage.Format.Format_Grayscale8).copy()


def colour_image(colours: NDArray[np.uint8]) -> QtGui.QImage:
    """Turn 8-bit colours, shape (row, column, 3), into an image."""
    colours = np.ascontiguousarray(colours, np.uint8)
    height, width, _ = colours.shape
    return QtGui.QImage(colours.data, width, height, 3 * width, QtGui.QImage.Format.Format_RGB888).copy()
