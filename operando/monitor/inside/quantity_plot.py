"""One quantity state by state, with its uncertainty and what was published."""

import math
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pyqtgraph
from numpy.typing import NDArray
from PySide6 import QtCore, QtGui, QtWidgets

from operando.model.experiment import Published
from operando.monitor.inside.published import NOTHING_PUBLISHED, PublishedNumbers
from operando.monitor.inside.quantity_words import quantity_text, unit_text
from operando.monitor.reading.run_view import MeasurementView
from operando.monitor.theme import Look

FIRST_CHOICE = "high_attenuation_volume"
SYMBOL_PX, TICK_PX, NAME_GAP_PX, AXIS_PX, RIGHT_PX, LABEL_ROOM_PX = 9, 12, 8, 84, 24, 40
MEASURED_SERIES, PUBLISHED_SERIES = 1, 0
RELATIONS = {"about": "o", "at most": "t", "at least": "t1"}  # triangles point where the value may lie
SIGNS = (("about", "○", "published"), ("at most", "▽", "published as at most"), ("at least", "△", "as at least"))
NUM_NAME_ROWS = 2
LEAST_MARGIN = 0.3  # of the distance of two states, beside the first and the last
BEAM_SHARE = 0.12  # of the distance of two states: the ends of the bars

LONGEST_NAME_PX = 140  # of a state, below the plot


@dataclass(frozen=True)
class PlottedQuantity:
    """A quantity; states in order, and of each what was measured and what was published."""

    name: str
    states: tuple[str, ...]
    measured: tuple[MeasurementView, ...]
    published: tuple[Published, ...]
    unit: str


def plotted(name: str, measurements: tuple[MeasurementView, ...], published: PublishedNumbers) -> PlottedQuantity:
    """Return one quantity: states as they were measured, then those that were only published so far."""
    measured = tuple(entry for entry in measurements if entry.name == name and np.isfinite(entry.value))
    unit = next((entry.unit for entry in measured), "")
    numbers = tuple(number for number in published.of(name) if not unit or number.unit == unit)
    unit = unit or next((number.unit for number in numbers), "")
    states = dict.fromkeys([*(entry.tomogram for entry in measured), *(number.tomogram for number in numbers)])
    return PlottedQuantity(name, tuple(states), measured, numbers, unit)


class QuantityPlot(QtWidgets.QWidget):
    """Chooses a quantity and draws it."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._measurements: tuple[MeasurementView, ...] = ()
        self._published = NOTHING_PUBLISHED
        self._shown: PlottedQuantity | None = None
        self._chooser, self._legend = QtWidgets.QComboBox(), QtWidgets.QLabel()
        self._legend.setTextFormat(QtCore.Qt.TextFormat.RichText)
        self._chooser.setToolTip("Which quantity is drawn.")
        self._chooser.activated.connect(lambda _: self._draw())
        self._legend.setWordWrap(True)
        self._legend.setProperty("role", "heading")
        self._canvas: Any = pyqtgraph.PlotWidget()
        self._plot = self._canvas.getPlotItem()
        self._plot.hideButtons()
        self._plot.setMenuEnabled(False)
        self._plot.setMouseEnabled(x=False, y=False)
        self._plot.showGrid(y=True, alpha=0.15)
        self._plot.getAxis("left").enableAutoSIPrefix(False)
        self._plot.getAxis("bottom").setStyle(hideOverlappingLabels=False)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._chooser)
        layout.addWidget(self._canvas, 1)
        layout.addWidget(self._legend)
        self.set_look(look)

    @property
    def shown(self) -> PlottedQuantity | None:
        """What is drawn."""
        return self._shown

    def set_look(self, look: Look) -> None:
        """Take another size."""
        self._look = look
        self._canvas.setBackground(look.colours.background)
        font = self.font()
        font.setPixelSize(look.px(TICK_PX))
        for side in ("left", "bottom"):
            axis = self._plot.getAxis(side)
            axis.setTickFont(font)
            axis.setPen(look.colours.line)
            axis.setTextPen(look.colours.dim)
        self._plot.getAxis("left").setWidth(look.px(AXIS_PX))
        self._plot.setContentsMargins(0, look.px(NAME_GAP_PX), look.px(RIGHT_PX), 0)  # the last name is as wide
        self._shown = None
        self._draw()

    def show_measurements(self, measurements: tuple[MeasurementView, ...]) -> None:
        """Take newer measurements."""
        self._measurements = measurements
        self._offer()

    def show_published(self, published: PublishedNumbers) -> None:
        """Take other published numbers."""
        if published != self._published:
            self._published = published
            self._offer()

    def choose(self, name: str) -> None:
        """Draw another quantity."""
        self._chooser.setCurrentIndex(max(self._chooser.findData(name), 0))
        self._draw()

    def _offer(self) -> None:
        published = {number.name for number in self._published.numbers}
        names = dict.fromkeys(entry.name for entry in self._measurements)
        names |= dict.fromkeys(number.name for number in self._published.numbers)
        # What was published comes first: people look for it.
        ordered = sorted(names, key=lambda name: (name not in published, quantity_text(name)))
        if ordered != [self._chooser.itemData(index) for index in range(self._chooser.count())]:
            chosen = self._chooser.currentData() or FIRST_CHOICE
            self._chooser.clear()
            for name in ordered:
                self._chooser.addItem(quantity_text(name), name)
            self._chooser.setCurrentIndex(max(self._chooser.findData(chosen), 0))
        self._draw()

    def _draw(self) -> None:
        name = self._chooser.currentData()
        for widget in (self._chooser, self._canvas):
            widget.setVisible(name is not None)
        if name is None:
            self._legend.setText("Nothing was measured yet")
            return
        shown = plotted(name, self._measurements, self._published)
        if shown == self._shown:
            return
        self._shown = shown
        self._plot.clear()
        places = {state: float(number) for number, state in enumerate(shown.states)}
        self._draw_published(shown, places)
        self._draw_measured(shown, places)
        self._name_states(shown.states)
        self._legend.setText(self._words(shown))

    def _draw_measured(self, shown: PlottedQuantity, places: dict[str, float]) -> None:
        colour = self._look.colours.series[MEASURED_SERIES]
        x = np.array([places[entry.tomogram] for entry in shown.measured])
        y = np.array([entry.value for entry in shown.measured])
        bars = np.nan_to_num([entry.uncertainty for entry in shown.measured], nan=0.0, posinf=0.0)
        if not len(x):
            return
        pen = pyqtgraph.mkPen(colour, width=1.5 * self._look.scale)
        self._plot.addItem(pyqtgraph.ErrorBarItem(x=x, y=y, height=2 * np.abs(bars), beam=BEAM_SHARE, pen=pen))
        symbols = ["d" if entry.flags else "o" for entry in shown.measured]
        self._plot.addItem(self._points(x, y, symbols, brush=colour, colour=colour))

    def _draw_published(self, shown: PlottedQuantity, places: dict[str, float]) -> None:
        if shown.published:
            x = np.array([places[number.tomogram] for number in shown.published])
            y = np.array([number.value for number in shown.published])
            symbols = [RELATIONS[number.relation] for number in shown.published]
            colour = self._look.colours.series[PUBLISHED_SERIES]
            self._plot.addItem(self._points(x, y, symbols, brush=None, colour=colour, larger=1.5))

    def _points(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        symbols: list[str],
        *,
        brush: str | None,
        colour: str,
        larger: float = 1.0,
    ) -> Any:
        return pyqtgraph.ScatterPlotItem(
            x=x,
            y=y,
            symbol=symbols,
            size=self._look.px(larger * SYMBOL_PX),
            brush=pyqtgraph.mkBrush(brush),
            pen=pyqtgraph.mkPen(colour, width=1.5 * self._look.scale),
        )

    def _name_states(self, states: tuple[str, ...]) -> None:
        """Write names below; only every second, third ... where there is no room for all."""
        font = self.font()
        font.setPixelSize(self._look.px(TICK_PX))
        metrics = QtGui.QFontMetrics(font)
        longest_px, in_the_middle = self._look.px(LONGEST_NAME_PX), QtCore.Qt.TextElideMode.ElideMiddle
        states = tuple(metrics.elidedText(state, in_the_middle, longest_px) for state in states)
        widest = max((metrics.horizontalAdvance(state) for state in states), default=0) + self._look.px(NAME_GAP_PX)
        room = max(self._canvas.width() - self._look.px(AXIS_PX + RIGHT_PX), 1)
        # The first and the last name are left out if they do not fit below.
        half_px = [0.5 * metrics.horizontalAdvance(state) for state in (states or ("",))]
        px_per_state = max(room - half_px[0] - half_px[-1], 1) / max(len(states) - 1, 1)
        left, right = (max(half / px_per_state, LEAST_MARGIN) for half in (half_px[0], half_px[-1]))
        px_per_state = room / (max(len(states) - 1, 0) + left + right)
        rows = 1 if widest <= px_per_state else NUM_NAME_ROWS
        step = max(math.ceil(widest / (rows * px_per_state)), 1)
        named = list(enumerate(states))[::step]
        ticks = [(float(number), "\n" * (place % rows) + state) for place, (number, state) in enumerate(named)]
        self._plot.setXRange(-left, max(len(states) - 1, 0) + right, padding=0)
        self._plot.setLabel("left", escape(self._label(metrics)), color=self._look.colours.dim)
        self._plot.getAxis("left").label.setFont(font)
        self._plot.getAxis("left").resizeEvent()  # puts the label into the middle again
        axis = self._plot.getAxis("bottom")
        axis.setTicks([ticks, []])
        axis.setHeight(rows * metrics.height() + self._look.px(NAME_GAP_PX))

    def _label(self, metrics: QtGui.QFontMetrics) -> str:
        """Return quantity and unit; the unit alone where both are longer than the axis, since the name stands above."""
        if self._shown is None:
            return ""
        name, unit = quantity_text(self._shown.name), unit_text(self._shown.unit)
        room = self._canvas.height() - NUM_NAME_ROWS * metrics.height() - self._look.px(LABEL_ROOM_PX)
        return f"{name} {unit}".strip() if metrics.horizontalAdvance(f"{name} {unit}") < room else unit

    def _words(self, shown: PlottedQuantity) -> str:
        words = []
        measured = self._look.colours.series[MEASURED_SERIES]
        if shown.measured:
            words.append(f'<span style="color: {measured}">●</span> measured, bars ± one standard uncertainty')
            if any(entry.flags for entry in shown.measured):
                words.append(f'<span style="color: {measured}">◆</span> with flags')
        if shown.published:
            colour = self._look.colours.series[PUBLISHED_SERIES]
            relations = {number.relation for number in shown.published}
            found = [
                f'<span style="color: {colour}">{sign}</span> {words}'
                for relation, sign, words in SIGNS
                if relation in relations
            ]
            where = escape(self._published.reference or "the experiment file")
            words.append(f"{', '.join(found)} in {where}; no uncertainty is given there")
        return " &nbsp; ".join(words) or "No value that can be drawn"

    def resizeEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        """Name as many states as there is room for."""
        super().resizeEvent(event)
        if self._shown is not None:
            self._name_states(self._shown.states)
