"""Giving a widget a style only where it is another one: Qt works through all of a style sheet each time."""

from PySide6 import QtWidgets


def restyle(widget: QtWidgets.QWidget, style_sheet: str) -> None:
    """Set the widget's own style sheet, if it is not that already."""
    if widget.styleSheet() != style_sheet:
        widget.setStyleSheet(style_sheet)
