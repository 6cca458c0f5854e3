"""Large present values, each with its unit, its age and its quality."""

from math import nan

from PySide6 import QtCore, QtWidgets

from operando.monitor.reading.run_view import DISPLAYS, Figure, Quantity, RunView, age_text
from operando.monitor.theme import Look


class FigurePanel(QtWidgets.QWidget):
    """One box for each quantity of the cell."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._boxes = {quantity: _Box(quantity, look) for quantity in Quantity}
        for box in self._boxes.values():
            layout.addWidget(box)

    def set_look(self, look: Look) -> None:
        """Take another size."""
        for box in self._boxes.values():
            box.look = look

    def show_figures(self, view: RunView, wall_s: float) -> None:
        """Show the newest samples; ``wall_s`` is the host's present time."""
        for quantity, box in self._boxes.items():
            figure = view.figures[quantity]
            box.show_figure(figure, wall_s, stale=view.is_stale(figure, wall_s), ended=bool(view.ended))


class _Box(QtWidgets.QFrame):
    def __init__(self, quantity: Quantity, look: Look) -> None:
        super().__init__()
        self._display, self.look = DISPLAYS[quantity], look
        self.setProperty("role", "card")
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(10, 4, 10, 4)
        layout.setSpacing(0)
        heading = QtWidgets.QLabel(quantity.value.capitalize())
        heading.setProperty("role", "heading")
        self._value, self._age = QtWidgets.QLabel(), QtWidgets.QLabel()
        self._value.setTextFormat(QtCore.Qt.TextFormat.RichText)
        for label in (heading, self._value, self._age):
            layout.addWidget(label)
        self.show_figure(Figure(), nan, stale=False, ended=False)

    def show_figure(self, figure: Figure, wall_s: float, *, stale: bool, ended: bool) -> None:
        bad = figure.quality not in ("", "OK")
        colours = self.look.colours
        colour = colours.alarm if bad else colours.dim if stale and not ended else colours.text
        number, unit = self._display.text(figure.value), self._display.unit
        self._value.setText(
            f'<span style="font-size: {self.look.px(40)}px; font-weight: 600; color: {colour}">{number}</span>'
            f'<span style="font-size: {self.look.px(20)}px; color: {colour}"> {unit}</span>'
        )
        age = f"last, {age_text(wall_s - figure.wall_s)}" if ended else f"sampled {age_text(wall_s - figure.wall_s)}"
        words = [
            "no sample yet" if not figure.wall_s > 0 else age,
            figure.quality if bad else "",
            "SILENT" if stale and not ended else "",
        ]
        self._age.setText(" · ".join(word for word in words if word))
        self._age.setStyleSheet(f"color: {colours.alarm if bad or (stale and not ended) else colours.dim};")
