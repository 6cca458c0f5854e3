"""One large figure with its unit, age and quality, and where it lies between its limits."""

from html import escape

from PySide6 import QtCore, QtGui, QtWidgets

from operando.monitor.now.card_content import CardContent
from operando.monitor.now.limit_bar import LimitBar
from operando.monitor.now.limit_distance import Level
from operando.monitor.now.restyling import restyle
from operando.monitor.theme import Look

LARGEST_PX = 66.0  # of the number, at the smallest size of window
UNIT_SHARE = 0.38  # of the number's size
HEIGHT_SHARE = 0.44  # of the card that the number may take
LEVEL_WORDS = {Level.FINE: "", Level.NEAR: "◆ NEAR LIMIT", Level.BEYOND: "▲ BEYOND LIMIT"}


class FigureCard(QtWidgets.QFrame):
    """A card; a figure that must not be trusted stands on an inverted one."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.look = look
        self.content: CardContent | None = None
        self.setProperty("role", "figure")
        self._heading, self._age, self._words, self._value, self._below, self._limit = (
            QtWidgets.QLabel() for _ in range(6)
        )
        self._bar = LimitBar(look)
        self._age.setAlignment(QtCore.Qt.AlignmentFlag.AlignRight)
        self._value.setTextFormat(QtCore.Qt.TextFormat.RichText)
        for label in (self._heading, self._age, self._words, self._value, self._below, self._limit):
            # The window decides how wide a card is, never what stands in it.
            label.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Preferred)
        self._age.setSizePolicy(QtWidgets.QSizePolicy.Policy.Minimum, QtWidgets.QSizePolicy.Policy.Preferred)
        top = QtWidgets.QHBoxLayout()
        top.addWidget(self._heading, 1)
        top.addWidget(self._age)
        self._layout = QtWidgets.QVBoxLayout(self)
        self._layout.addLayout(top)
        self._layout.addWidget(self._words)
        self._layout.addStretch(1)
        self._layout.addWidget(self._value)
        self._layout.addWidget(self._below)
        self._layout.addStretch(1)
        self._layout.addWidget(self._bar)
        self._layout.addWidget(self._limit)
        self.set_look(look)

    def set_look(self, look: Look) -> None:
        """Take another size."""
        self.look = look
        self._layout.setContentsMargins(look.px(10), look.px(5), look.px(10), look.px(5))
        self._layout.setSpacing(look.px(1))
        self._bar.set_look(look)
        self._draw()

    def show_content(self, content: CardContent) -> None:
        """Show it, if anything has changed."""
        if content != self.content:
            self.content = content
            self._draw()

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Take the largest digits that fit."""
        super().resizeEvent(event)
        self._draw()

    def _draw(self) -> None:
        content, colours, px = self.content, self.look.colours, self.look.px
        if content is None:
            return
        inverted = bool(content.words)
        text = colours.background if inverted else colours.text
        dim = colours.background if inverted else colours.dim
        edge = {Level.NEAR: colours.warning, Level.BEYOND: colours.alarm}.get(content.level, colours.panel)
        restyle(
            self,
            f'QFrame[role="figure"] {{ background: {colours.alarm if inverted else colours.panel};'
            f" border: {px(3)}px solid {colours.alarm if inverted else edge}; border-radius: {px(5)}px; }}",
        )
        self._tell(self._heading, content.heading, dim, 15)
        self._tell(self._age, content.age, dim, 15)
        urgent = {Level.NEAR: colours.warning, Level.BEYOND: colours.alarm}.get(content.level, dim)
        words = "\n".join(filter(None, (*content.words, LEVEL_WORDS[content.level])))
        self._tell(self._words, words, text if inverted else urgent, 20, bold=True)
        self._tell(self._below, content.below, text, 18)
        number_px = self._number_px(content)
        self._value.setText(
            f'<span style="font-size: {number_px}px; font-weight: 600; color: {text}">{escape(content.number)}</span>'
            f'<span style="font-size: {round(UNIT_SHARE * number_px)}px; color: {text}"> {escape(content.unit)}</span>'
        )
        limit = content.limit
        self._bar.setVisible(limit is not None and bool(limit.low_text and limit.high_text))
        self._bar.show_limit(limit, inverted=inverted)
        told = content.limit_note if limit is None else limit.text
        self._tell(self._limit, told, text if inverted else urgent, 15)

    def _tell(self, label: QtWidgets.QLabel, text: str, colour: str, size: float, *, bold: bool = False) -> None:
        label.setText(text)
        label.setVisible(bool(text))
        weight = 700 if bold else 400
        restyle(label, f"color: {colour}; font-size: {self.look.px(size)}px; font-weight: {weight};")

    def _number_px(self, content: CardContent) -> int:
        """Return the size of digits that fit into the card, the same for all usual numbers."""
        font = QtGui.QFont(self.font())
        font.setPixelSize(100)
        plain = QtGui.QFontMetricsF(font).horizontalAdvance(f" {content.unit}")
        font.setWeight(QtGui.QFont.Weight.DemiBold)
        metrics = QtGui.QFontMetricsF(font)
        wide = max(metrics.horizontalAdvance(content.widest), metrics.horizontalAdvance(content.number))
        available = self.width() - self.look.px(2 * (10 + 3) + 2)
        fits = min(100 * available / (wide + UNIT_SHARE * plain), HEIGHT_SHARE * self.height())
        return max(int(min(self.look.px(LARGEST_PX), fits)), self.look.px(10))
