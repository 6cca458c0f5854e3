"""Keys of the page of traces and half cycles."""

from collections.abc import Callable, Mapping
from enum import Enum

from PySide6 import QtCore, QtGui, QtWidgets

from operando.monitor.history.controls import FOLLOW_KEY, KEYS, LAST_CYCLE_KEY, NEXT_CYCLE_KEY
from operando.monitor.history.time_range import RangeChoice
from operando.monitor.history.view_choice import AxisChoice, ViewChoice

KEY_TEXTS = (
    ("L, A", "the last hour, or all since the start"),
    ("[ and ]", "the cycle before, and after"),
    ("E", "follow the newest samples, or not"),
    ("X", "against time or capacity"),
    ("V", "traces, cycles overlaid, dQ/dV"),
    ("+ − ← →", "zoom and move"),
)


class Key(Enum):
    """What one key stands for."""

    LAST_HOUR = KEYS[RangeChoice.LAST_HOUR]
    SINCE_START = KEYS[RangeChoice.SINCE_START]
    NEXT_CYCLE = NEXT_CYCLE_KEY
    LAST_CYCLE = LAST_CYCLE_KEY
    FOLLOW = FOLLOW_KEY
    VIEW = KEYS[ViewChoice.TRACES]
    AXIS = KEYS[AxisChoice.TIME]
    ZOOM_IN = "+"
    ZOOM_OUT = "-"
    BACK = "Left"
    ON = "Right"


def bind_keys(widget: QtWidgets.QWidget, actions: Mapping[Key, Callable[[], None]]) -> None:
    """Let keys act while the widget's window has the focus."""
    for key, action in actions.items():
        QtGui.QShortcut(QtGui.QKeySequence(key.value), widget, action, context=QtCore.Qt.ShortcutContext.WindowShortcut)
