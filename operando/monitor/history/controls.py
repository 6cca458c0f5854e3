"""The row of buttons above the plots: which stretch, against what, in which view, and which traces."""

from collections.abc import Sequence

from PySide6 import QtCore, QtWidgets

from operando.monitor.history.time_range import RangeChoice
from operando.monitor.history.view_choice import AxisChoice, ViewChoice
from operando.monitor.reading.run_view import Quantity
from operando.monitor.theme import Look

QUANTITY_NAMES = {quantity: quantity.value.removeprefix("stack ").capitalize() for quantity in Quantity}
KEYS = {
    RangeChoice.LAST_HOUR: "L",
    RangeChoice.SINCE_START: "A",
    ViewChoice.TRACES: "V",
    ViewChoice.OVERLAID: "V",
    ViewChoice.DIFFERENTIAL: "V",
    AxisChoice.TIME: "X",
    AxisChoice.CHARGE: "X",
}
FOLLOW_KEY, NEXT_CYCLE_KEY, LAST_CYCLE_KEY = "E", "]", "["
GROUP_GAP_PX, GAP_PX = 14.0, 4.0


class Controls(QtWidgets.QWidget):
    """Buttons only: what they mean is done by whoever listens."""

    range_chosen = QtCore.Signal(RangeChoice, int)  # and the number of the cycle
    view_chosen = QtCore.Signal(ViewChoice)
    axis_chosen = QtCore.Signal(AxisChoice)
    follow_chosen = QtCore.Signal(bool)
    quantities_chosen = QtCore.Signal(tuple)

    def __init__(self, look: Look, quantities: Sequence[Quantity]) -> None:
        super().__init__()
        self._layout = QtWidgets.QHBoxLayout(self)
        self._gaps: list[QtWidgets.QWidget] = []
        self._ranges = {
            choice: self._button(text, f"{tip} (key {KEYS[choice]})")
            for choice, text, tip in (
                (RangeChoice.LAST_HOUR, "Last hour", "The last hour, also as time goes on"),
                (RangeChoice.SINCE_START, "Since start", "All since the run began"),
            )
        }
        self._cycles = QtWidgets.QComboBox()
        self._cycles.setToolTip(f"One cycle (keys {LAST_CYCLE_KEY} and {NEXT_CYCLE_KEY}: the one before, the next)")
        self._follow = self._button("Follow", f"Keep the newest samples in view (key {FOLLOW_KEY})")
        self._gap()
        self._axes = {
            choice: self._button(choice.value, f"{tip} (key {KEYS[choice]})")
            for choice, tip in (
                (AxisChoice.TIME, "Against time"),
                (AxisChoice.CHARGE, "Against the charge that has passed"),
            )
        }
        self._gap()
        self._views = {
            choice: self._button(choice.value, f"{tip} (key {KEYS[choice]}: the next)")
            for choice, tip in (
                (ViewChoice.TRACES, "Traces above each other"),
                (ViewChoice.OVERLAID, "Half cycles over each other"),
                (ViewChoice.DIFFERENTIAL, "Charge per voltage of half cycles"),
            )
        }
        self._gap()
        self._layout.addStretch(1)
        self._quantities = {
            quantity: self._button(name, f"Show or hide the {quantity.value}")
            for quantity, name in QUANTITY_NAMES.items()
        }
        self._layout.insertWidget(2, self._cycles)
        self.show_quantities(quantities)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Preferred, QtWidgets.QSizePolicy.Policy.Fixed)
        self._connect()
        self.set_look(look)
        self.show_cycles(0, 0)

    def set_look(self, look: Look) -> None:
        """Take another size."""
        self._layout.setContentsMargins(look.px(GAP_PX), look.px(GAP_PX), look.px(GAP_PX), 0)
        self._layout.setSpacing(look.px(GAP_PX))
        for gap in self._gaps:
            gap.setFixedWidth(look.px(GROUP_GAP_PX))

    def show_cycles(self, num: int, chosen: int) -> None:
        """Offer so many cycles; 0 is none of them."""
        if num + 1 != self._cycles.count():
            self._cycles.clear()
            self._cycles.addItems(["Cycle ..." if num else "No cycle yet", *(f"Cycle {n}" for n in range(1, num + 1))])
        self._cycles.setCurrentIndex(chosen if chosen <= num else 0)
        self._cycles.setEnabled(num > 0)

    def show_choices(self, range_: RangeChoice, view: ViewChoice, axis: AxisChoice, *, follow: bool) -> None:
        """Press the buttons of what is shown."""
        for choice, button in (*self._ranges.items(), *self._views.items(), *self._axes.items()):
            button.setChecked(choice in (range_, view, axis))
        self._follow.setChecked(follow)
        self._follow.setEnabled(view is ViewChoice.TRACES)
        for button in self._axes.values():
            button.setEnabled(view is not ViewChoice.DIFFERENTIAL)
        for button in self._quantities.values():
            button.setEnabled(view is not ViewChoice.DIFFERENTIAL)

    def show_quantities(self, quantities: Sequence[Quantity]) -> None:
        """Press the buttons of the traces that are shown."""
        for quantity, button in self._quantities.items():
            button.setChecked(quantity in quantities)

    def _connect(self) -> None:
        for range_, button in self._ranges.items():
            button.clicked.connect(lambda _, range_=range_: self.range_chosen.emit(range_, 0))
        for axis, button in self._axes.items():
            button.clicked.connect(lambda _, axis=axis: self.axis_chosen.emit(axis))
        for view, button in self._views.items():
            button.clicked.connect(lambda _, view=view: self.view_chosen.emit(view))
        self._follow.clicked.connect(lambda follow: self.follow_chosen.emit(follow))
        self._cycles.activated.connect(
            lambda index: self.range_chosen.emit(RangeChoice.CYCLE if index else RangeChoice.SINCE_START, index)
        )
        for button in self._quantities.values():
            button.clicked.connect(lambda _, button=button: self._choose_quantities(button))

    def _choose_quantities(self, clicked: QtWidgets.QPushButton) -> None:
        """Hand on which are pressed; the last one stays."""
        chosen = tuple(quantity for quantity, button in self._quantities.items() if button.isChecked())
        if not chosen:
            clicked.setChecked(True)
            return
        self.quantities_chosen.emit(chosen)

    def _button(self, text: str, tip: str) -> QtWidgets.QPushButton:
        button = QtWidgets.QPushButton(text)
        button.setCheckable(True)
        button.setToolTip(tip)
        self._layout.addWidget(button)
        return button

    def _gap(self) -> None:
        self._gaps.append(QtWidgets.QWidget())
        self._layout.addWidget(self._gaps[-1])
