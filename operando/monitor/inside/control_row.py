"""The controls above the pictures: which state, compared with which, with what laid over it, between which levels."""

from collections import Counter
from dataclasses import replace
from typing import Any

from PySide6 import QtCore, QtWidgets

from operando.monitor.inside.choice import Choice, Comparison, Relative, RunLevels, Side
from operando.monitor.inside.state_planes import PLANES
from operando.monitor.reading.run_view import TomogramView
from operando.monitor.theme import Look

LARGEST_LEVEL_PER_CM = 10_000.0
LEAST_SPAN_PER_CM = 0.01
LEVEL_PX, STATE_PX, GAP_PX = 96, 140, 6
NEWEST, NOTHING = "newest", "nothing"


class ControlRow(QtWidgets.QWidget):
    """Holds the choice of a person and tells when it has changed."""

    changed = QtCore.Signal(object)
    """The `Choice`."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._choice = Choice()
        self._tomograms: tuple[tuple[int, str], ...] | None = None
        self._automatic: RunLevels | None = None
        self._sides = {side: _toggle(side.value, f"Show {side.value.lower()}.") for side in Side}
        self._state = _chooser("Which state is shown; the newest is followed as it comes.")
        self._compared = _chooser("Another state to compare with.")
        self._comparison = _chooser("How the two states are shown.")
        for comparison in Comparison:
            self._comparison.addItem(comparison.value, comparison)
        self._plane = _chooser("Show one plane as large as there is room, or all three.")
        self._plane.addItem("all planes", "")
        for plane in PLANES:
            self._plane.addItem(f"{plane} alone", plane)
        self._masks = _toggle("Masks", "Lay over what was counted as high attenuation and as cracks.")
        self._displacement = _toggle("Displacement", "Lay over arrows: how far each part has moved.")
        self._auto = _toggle("Automatic", "Black and white of the whole run, so that the greys of all states compare.")
        self._black = _level("Attenuation that is drawn black.")
        self._white = _level("Attenuation that is drawn white.")
        self._largest = _level("Ends of the scale of differences.")
        self._largest.setMinimum(LEAST_SPAN_PER_CM)
        self._largest.setPrefix("± ")
        self._state_label, self._with = QtWidgets.QLabel("State"), QtWidgets.QLabel("compared with")
        self._levels = QtWidgets.QLabel("Levels")
        self._layout = layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (
            *self._sides.values(), self._state_label, self._state, self._with, self._compared, self._comparison,
            self._plane, self._masks, self._displacement, self._levels, self._auto, self._black, self._white,
            self._largest,
        ):  # fmt: skip
            layout.addWidget(widget)
        layout.addStretch(1)
        self._connect()
        self.set_look(look)
        self._show_choice()

    def set_look(self, look: Look) -> None:
        """Take another size."""
        c, px = look.colours, look.px
        self.setStyleSheet(
            f"QDoubleSpinBox {{ background: {c.panel}; border: {px(1)}px solid {c.line}; border-radius: {px(3)}px; "
            f"padding: {px(3)}px; }} "
            "QDoubleSpinBox::up-button, QDoubleSpinBox::down-button { width: 0; border: 0; }"
        )
        for box in (self._black, self._white, self._largest):
            box.setFixedWidth(px(LEVEL_PX))
        for chooser in (self._state, self._compared):  # long names are cut, so that the row fits the smallest window
            chooser.setMaximumWidth(px(STATE_PX))
        self._layout.setSpacing(px(GAP_PX))

    @property
    def choice(self) -> Choice:
        """What is chosen."""
        return self._choice

    def choose(self, **changed: Any) -> None:
        """Choose otherwise, as if by hand."""
        choice = replace(self._choice, **changed)
        if choice != self._choice:
            self._choice = choice
            self._show_choice()
            self.changed.emit(choice)

    def show_tomograms(self, tomograms: tuple[TomogramView, ...]) -> None:
        """Offer the tomograms; what is chosen stays chosen."""
        attempts = Counter(tomogram.name for tomogram in tomograms)
        offered = tuple((tomogram.attempt, _label(tomogram, attempts[tomogram.name])) for tomogram in tomograms)
        if offered == self._tomograms:
            return
        self._tomograms = offered
        for chooser, first in ((self._state, ((NEWEST, None),)), (self._compared, _BEFORE)):
            chooser.blockSignals(True)
            chooser.clear()
            for text, value in first:
                chooser.addItem(text, value)
            for attempt, label in reversed(offered):
                chooser.addItem(label, attempt)
            chooser.view().setMinimumWidth(chooser.view().sizeHintForColumn(0) + chooser.iconSize().width())
            chooser.blockSignals(False)
        self._show_choice()

    def show_automatic(self, automatic: RunLevels | None) -> None:
        """Show the levels of the run where no others were chosen."""
        if automatic is not None and automatic != self._automatic:
            self._automatic = automatic
            self._show_choice()
            for box in (self._black, self._white, self._largest):
                box.setSuffix(f" {automatic.unit}")
            self._show_levels()

    def _connect(self) -> None:
        for side, button in self._sides.items():
            button.clicked.connect(lambda _=False, side=side: self.choose(side=side))
        self._state.activated.connect(lambda _: self.choose(state=self._state.currentData()))
        self._compared.activated.connect(lambda _: self.choose(compared=_compared(self._compared.currentData())))
        self._comparison.activated.connect(lambda _: self.choose(comparison=Comparison(self._comparison.currentData())))
        self._plane.activated.connect(lambda _: self.choose(plane=self._plane.currentData()))
        self._masks.clicked.connect(lambda checked: self.choose(masks=checked))
        self._displacement.clicked.connect(lambda checked: self.choose(displacement=checked))
        self._auto.clicked.connect(self._choose_automatic)
        for box in (self._black, self._white):
            box.valueChanged.connect(self._choose_levels)
        for box in (self._black, self._white, self._largest):
            box.lineEdit().returnPressed.connect(box.clearFocus)  # the window's keys are its own again
        self._largest.valueChanged.connect(lambda value: self.choose(largest_difference_per_cm=value))

    def _choose_automatic(self, checked: bool) -> None:
        if checked:
            key = "largest_difference_per_cm" if self._is_difference else "levels_per_cm"
            self.choose(**{key: None})
        elif self._is_difference:
            self.choose(largest_difference_per_cm=self._largest.value())
        else:
            self._choose_levels()
        self._show_levels()

    def _choose_levels(self) -> None:
        black, white = self._black.value(), self._white.value()
        if white - black >= LEAST_SPAN_PER_CM / 2:
            self.choose(levels_per_cm=(black, white))

    @property
    def _is_difference(self) -> bool:
        choice = self._choice
        return choice.compared is not None and choice.comparison is Comparison.DIFFERENCE

    def _show_choice(self) -> None:
        choice = self._choice
        slices = choice.side is Side.SLICES
        for side, button in self._sides.items():
            button.setChecked(side is choice.side)
        for chooser, value in (
            (self._state, choice.state), (self._compared, choice.compared), (self._comparison, choice.comparison),
            (self._plane, choice.plane),
        ):  # fmt: skip
            chooser.setCurrentIndex(_index_of(chooser, value))
        self._masks.setChecked(choice.masks)
        self._displacement.setChecked(choice.displacement)
        for widget in (self._with, self._compared, self._plane, self._masks, self._displacement):
            widget.setVisible(slices)
        self._comparison.setVisible(slices and choice.compared is not None)
        known = slices and self._automatic is not None  # until then there is nothing that they would be levels of
        for widget in (self._levels, self._auto):
            widget.setVisible(known)
        for box in (self._black, self._white):
            box.setVisible(known and not self._is_difference)
        self._largest.setVisible(known and self._is_difference)
        self._show_levels()

    def _show_levels(self) -> None:
        choice, automatic = self._choice, self._automatic
        chosen = choice.largest_difference_per_cm if self._is_difference else choice.levels_per_cm
        self._auto.setChecked(chosen is None)
        if automatic is None:
            return
        black, white = choice.levels_per_cm or (automatic.window.black_per_cm, automatic.window.white_per_cm)
        largest = choice.largest_difference_per_cm or automatic.largest_difference
        for box, value in ((self._black, black), (self._white, white), (self._largest, largest)):
            if not box.hasFocus() or chosen is None:
                box.blockSignals(True)
                box.setValue(value)
                box.blockSignals(False)


_BEFORE: tuple[tuple[str, Relative | None], ...] = ((NOTHING, None), *((word.value, word) for word in Relative))


def _compared(data: Any) -> int | Relative | None:
    """Return what an entry stands for; Qt has made a text of an enumeration."""
    return Relative(data) if isinstance(data, str) else data


def _label(tomogram: TomogramView, num_attempts: int) -> str:
    """Return the name; attempts at one tomogram are told apart."""
    return tomogram.name if num_attempts == 1 else f"{tomogram.name} (attempt {tomogram.attempt})"


def _index_of(chooser: QtWidgets.QComboBox, value: object) -> int:
    """Return which entry stands for a value; Qt's own search takes texts of an enumeration for others."""
    return next((index for index in range(chooser.count()) if chooser.itemData(index) == value), 0)


def _chooser(told: str) -> QtWidgets.QComboBox:
    chooser = QtWidgets.QComboBox()
    chooser.setToolTip(told)
    chooser.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToContents)
    return chooser


def _toggle(text: str, told: str) -> QtWidgets.QPushButton:
    button = QtWidgets.QPushButton(text)
    button.setCheckable(True)
    button.setToolTip(told)
    return button


def _level(told: str) -> QtWidgets.QDoubleSpinBox:
    box = QtWidgets.QDoubleSpinBox()
    box.setLocale(QtCore.QLocale.c())  # a point, whatever the country
    box.setRange(-LARGEST_LEVEL_PER_CM, LARGEST_LEVEL_PER_CM)
    box.setDecimals(2)
    box.setSingleStep(0.5)
    box.setSuffix(" 1/cm")
    box.setKeyboardTracking(False)
    box.setToolTip(told)
    return box
