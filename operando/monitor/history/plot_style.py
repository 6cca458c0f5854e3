"""Fonts, colours and lines of a plot, in the size of the window."""

from typing import Any

from PySide6 import QtGui

from operando.monitor.theme import Look

TICK_PX, LABEL_PX = 12.0, 13.0
AXIS_WIDTH_PX = 82.0  # as wide as the names in the strip of tomograms and events
TICK_LENGTH_PX, TICK_GAP_PX = 4.0, 3.0
BOTTOM_HEIGHT_PX = 44.0  # of numbers and label
GRID_ALPHA = 0.4
PLOT_HEIGHT_PX = 100.0  # before what is left over is shared out evenly


def label_font(look: Look) -> QtGui.QFont:
    """Return the font of text in plots."""
    font = QtGui.QFont()
    font.setPixelSize(look.px(TICK_PX))
    return font


def style_axis(axis: Any, look: Look, label: str) -> None:
    """Give one axis of a plot its label, font and colours."""
    colours = look.colours
    # Only without these ranges are numbers what they are: to disable prefixes alone scales them once more.
    axis.setSIPrefixEnableRanges(())
    axis.enableAutoSIPrefix(False)
    axis.setPen(colours.line, width=look.px(1))
    axis.setTextPen(colours.text)
    axis.setTickFont(label_font(look))
    axis.setStyle(
        tickLength=-look.px(TICK_LENGTH_PX),
        tickTextOffset=look.px(TICK_GAP_PX),
        hideOverlappingLabels=True,
        maxTickLevel=0,
    )
    axis.setLabel(label, **{"color": colours.text, "font-size": f"{look.px(LABEL_PX)}px"})


def style_plot(plot: Any, look: Look, *, left: str, bottom: str) -> None:
    """Give a plot its labels and look; without a label at the bottom it has no numbers there either."""
    style_axis(plot.getAxis("left"), look, left)
    plot.getAxis("left").setWidth(look.px(AXIS_WIDTH_PX))
    style_axis(plot.getAxis("bottom"), look, bottom)
    plot.getAxis("bottom").setStyle(showValues=bool(bottom))
    plot.getAxis("bottom").showLabel(bool(bottom))
    below = look.px(BOTTOM_HEIGHT_PX if bottom else TICK_LENGTH_PX)
    plot.getAxis("bottom").setHeight(below)
    plot.setPreferredHeight(look.px(PLOT_HEIGHT_PX) + below)
    plot.showGrid(x=True, y=True, alpha=GRID_ALPHA)
