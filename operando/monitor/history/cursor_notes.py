"""Two lines below the plots: what was sampled where a person points, and what lies near."""

from collections.abc import Sequence

from PySide6 import QtCore, QtWidgets

from operando.monitor.history.charge_unit import ChargeUnit
from operando.monitor.history.cursor_text import half_cycle_values_html, near_html, samples_html
from operando.monitor.history.half_cycle_panels import Panel
from operando.monitor.history.half_cycles import HalfCycle
from operando.monitor.history.plot_axis import TimeAxis
from operando.monitor.reading.run_view import RunView
from operando.monitor.theme import Look

MARGIN_PX = 4.0
USAGE = "Point into a plot to read its values; drag to move, turn the wheel to zoom."


class CursorNotes(QtWidgets.QWidget):
    """However long they are, the window may be as narrow as before."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._values, self._near = QtWidgets.QLabel(), QtWidgets.QLabel()
        self._is_held = False
        self._near.setProperty("role", "dim")
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for label in (self._values, self._near):
            label.setTextFormat(QtCore.Qt.TextFormat.RichText)
            label.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Fixed)
            layout.addWidget(label)
        self.set_look(look)
        self.show_nothing()

    @property
    def texts(self) -> tuple[str, str]:
        """Both lines, with their markup."""
        return self._values.text(), self._near.text()

    def set_look(self, look: Look) -> None:
        """Take another size."""
        for label in (self._values, self._near):
            label.setContentsMargins(look.px(2 * MARGIN_PX), 0, look.px(2 * MARGIN_PX), look.px(MARGIN_PX))

    def hold(self, *, held: bool) -> None:
        """While held, only `tell` changes the lines."""
        self._is_held = held

    def tell(self, text: str) -> None:
        """Write a sentence into the second line, without markup."""
        self._near.setText(near_html([text]))

    def show_nothing(self) -> None:
        """Nobody points at anything."""
        self._show("", USAGE)

    def show_samples(
        self, view: RunView, axis: TimeAxis, time_s: float, unit: ChargeUnit, near: Sequence[str], look: Look
    ) -> None:
        """Write the samples of all traces nearest to a time, and what lies ``near`` it."""
        self._show(samples_html(view, axis, time_s, unit, look), near_html(near))

    def show_half_cycles(self, panel: Panel, place: float, values: Sequence[tuple[HalfCycle, float, str]]) -> None:
        """Write the values of half cycles at a place on a panel's axis."""
        self._show(*half_cycle_values_html(panel, place, values))

    def _show(self, values: str, near: str) -> None:
        if not self._is_held:
            self._values.setText(values or " ")
            self._near.setText(near or " ")
