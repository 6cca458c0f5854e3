"""A card of words: what it is about, the main thing large, and lines below."""

from dataclasses import dataclass
from enum import StrEnum

from PySide6 import QtWidgets

from operando.monitor.now.restyling import restyle
from operando.monitor.theme import Look


class Tone(StrEnum):
    """How urgent it is; what must be seen at once stands on an inverted card."""

    PLAIN = "plain"
    GOOD = "good"
    WARNING = "warning"
    ALARM = "alarm"


@dataclass(frozen=True)
class Told:
    """What a card says; ``share`` from 0 to 1 draws a bar of progress, None draws none."""

    heading: str
    main: str
    lines: tuple[str, ...] = ()
    tone: Tone = Tone.PLAIN
    share: float | None = None


class ToldCard(QtWidgets.QFrame):
    """Draws one of them.

    Parameters
    ----------
    main_px
        Size of the main thing at the smallest size of window.
    """

    def __init__(self, look: Look, *, main_px: float = 24.0) -> None:
        super().__init__()
        self.look, self._main_px = look, main_px
        self.told: Told | None = None
        self.setProperty("role", "told")
        self._heading, self._main, self._lines = (QtWidgets.QLabel() for _ in range(3))
        self._bar = QtWidgets.QProgressBar()
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        self._layout = QtWidgets.QVBoxLayout(self)
        for widget in (self._heading, self._main, self._bar, self._lines):
            self._layout.addWidget(widget)
        for label in (self._heading, self._main, self._lines):
            label.setWordWrap(True)
            label.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Preferred)
        self.set_look(look)

    def set_look(self, look: Look) -> None:
        """Take another size."""
        self.look = look
        self._layout.setContentsMargins(look.px(10), look.px(4), look.px(10), look.px(4))
        self._layout.setSpacing(look.px(2))
        self._bar.setFixedHeight(look.px(12))
        self._draw()

    def show_told(self, told: Told) -> None:
        """Show it, if anything has changed."""
        if told != self.told:
            self.told = told
            self._draw()

    def _draw(self) -> None:
        told, colours, px = self.told, self.look.colours, self.look.px
        if told is None:
            return
        inverted = told.tone is Tone.ALARM
        text = colours.background if inverted else colours.text
        main = {Tone.GOOD: colours.good, Tone.WARNING: colours.warning}.get(told.tone, text)
        restyle(
            self,
            f'QFrame[role="told"] {{ background: {colours.alarm if inverted else colours.panel};'
            f" border-radius: {px(5)}px; }}",
        )
        restyle(self._heading, f"color: {colours.background if inverted else colours.dim}; font-size: {px(15)}px;")
        restyle(self._main, f"color: {main}; font-size: {px(self._main_px)}px; font-weight: 700;")
        restyle(self._lines, f"color: {text}; font-size: {px(18)}px;")
        for label, content in ((self._heading, told.heading), (self._main, told.main)):
            label.setText(content)
            label.setVisible(bool(content))
        self._lines.setText("\n".join(told.lines))
        self._lines.setVisible(bool(told.lines))
        self._bar.setVisible(told.share is not None)
        if told.share is not None:
            self._bar.setValue(round(1000 * told.share))
