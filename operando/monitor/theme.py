"""Colours and sizes of everything the monitor draws.

Series are those of Okabe and Ito, Color Universal Design (2008), made darker for the light theme where they would not
be seen; people of all kinds of colour vision tell them apart.
"""

from dataclasses import dataclass
from enum import StrEnum

BASE_PX = 13.0  # of text at the smallest size of window that everything fits into
BASE_SIZE_PX = (1366, 768)
LARGEST_SCALE = 4.0


class Theme(StrEnum):
    """What may be chosen."""

    DARK = "dark"
    LIGHT = "light"


@dataclass(frozen=True)
class Colours:
    """Colours by what they say, as ``#rrggbb``; ``series`` are those of lines, in the order they are used."""

    background: str
    panel: str
    line: str
    text: str
    dim: str
    good: str
    warning: str
    alarm: str
    rehearsal: str
    on_rehearsal: str
    series: tuple[str, ...]


COLOURS = {
    Theme.DARK: Colours(
        background="#17191d",
        panel="#22262c",
        line="#3a4048",
        text="#ececec",
        dim="#a3a9b3",
        good="#2fc89b",
        warning="#f2b134",
        alarm="#ff6b5e",
        rehearsal="#f2c14e",
        on_rehearsal="#17191d",
        series=("#f0c33c", "#56b4e9", "#35c79a", "#e59ac4", "#ff8c42", "#b9c0ca", "#a996f0"),
    ),
    Theme.LIGHT: Colours(
        background="#f6f6f4",
        panel="#ffffff",
        line="#c9ccd1",
        text="#16181b",
        dim="#555b64",
        good="#00734f",
        warning="#8f5a00",
        alarm="#c0271a",
        rehearsal="#f2c14e",
        on_rehearsal="#17191d",
        series=("#a86a00", "#0072b2", "#00795a", "#a8407c", "#c44a00", "#4b5058", "#5b44c2"),
    ),
}


def scale_of(width_px: int, height_px: int) -> float:
    """Return how much larger than at 1366 x 768 everything is to be drawn in a window, from 1 up."""
    fits = min(width_px / BASE_SIZE_PX[0], height_px / BASE_SIZE_PX[1])
    return min(max(round(fits * 8) / 8, 1.0), LARGEST_SCALE)


@dataclass(frozen=True)
class Look:
    """A theme at a size of window: what every page is given."""

    theme: Theme = Theme.DARK
    scale: float = 1.0

    @property
    def colours(self) -> Colours:
        """The colours."""
        return COLOURS[self.theme]

    def px(self, size: float) -> int:
        """Return a length that is ``size`` pixels in the smallest window."""
        return max(round(size * self.scale), 1)

    @property
    def style_sheet(self) -> str:
        """The look of every widget of Qt; the property ``role`` of a label tells what it says."""
        c, px = self.colours, self.px
        return f"""
        QWidget {{ background: {c.background}; color: {c.text}; font-size: {px(BASE_PX)}px; }}
        QLabel {{ background: transparent; }}
        QLabel[role="heading"] {{ color: {c.dim}; font-size: {px(12)}px; }}
        QLabel[role="dim"] {{ color: {c.dim}; }}
        QLabel[role="alarm"] {{ color: {c.alarm}; font-weight: 700; }}
        QLabel[role="banner"] {{ background: {c.panel}; color: {c.text}; font-size: {px(15)}px; font-weight: 700;
            padding: {px(4)}px; }}
        QLabel[role="rehearsal"] {{ background: {c.rehearsal}; color: {c.on_rehearsal}; font-size: {px(15)}px;
            font-weight: 700; padding: {px(4)}px; }}
        QLabel[role="dead"] {{ background: {c.alarm}; color: {c.background}; font-size: {px(16)}px; font-weight: 700;
            padding: {px(4)}px; }}
        QLabel[role="restarted"] {{ background: {c.panel}; color: {c.warning}; font-size: {px(16)}px; font-weight: 700;
            padding: {px(4)}px; }}
        QFrame[role="card"] {{ background: {c.panel}; border-radius: {px(4)}px; }}
        QToolTip {{ background: {c.panel}; color: {c.text}; border: 1px solid {c.line}; }}
        QTabWidget::pane {{ border: 0; }}
        QTabBar::tab {{ background: {c.panel}; color: {c.dim}; padding: {px(5)}px {px(18)}px; margin-right: 2px;
            font-size: {px(14)}px; }}
        QTabBar::tab:selected {{ background: {c.background}; color: {c.text}; font-weight: 700;
            border-bottom: {px(2)}px solid {c.series[1]}; }}
        QHeaderView {{ background: {c.panel}; border: 0; }}
        QHeaderView::section {{ background: {c.panel}; color: {c.dim}; padding: {px(2)}px {px(6)}px; border: 0; }}
        QTableCornerButton::section {{ background: {c.panel}; border: 0; }}
        QTableView, QListWidget, QTreeWidget {{ background: {c.panel}; gridline-color: {c.line}; border: 0; }}
        QTableView::item {{ padding: 0px {px(3)}px; }}
        QPushButton, QComboBox, QToolButton {{ background: {c.panel}; border: 1px solid {c.line};
            border-radius: {px(3)}px; padding: {px(3)}px {px(9)}px; }}
        QPushButton:checked, QToolButton:checked {{ background: {c.series[1]}; color: {c.background}; }}
        QPushButton:disabled, QToolButton:disabled {{ color: {c.line}; }}
        QComboBox::drop-down {{ border: 0; width: {px(18)}px; }}
        QComboBox::down-arrow {{ image: none; width: 0; height: 0; border-left: {px(4)}px solid {c.panel};
            border-right: {px(4)}px solid {c.panel}; border-top: {px(6)}px solid {c.dim}; }}
        QComboBox QAbstractItemView {{ background: {c.panel}; color: {c.text}; }}
        QSplitter::handle {{ background: {c.line}; }}
        QProgressBar {{ background: {c.line}; border: 0; border-radius: {px(3)}px; text-align: center; }}
        QProgressBar::chunk {{ background: {c.series[1]}; border-radius: {px(3)}px; }}
        QScrollBar:vertical {{ background: {c.panel}; width: {px(10)}px; }}
        QScrollBar:horizontal {{ background: {c.panel}; height: {px(10)}px; }}
        QScrollBar::handle {{ background: {c.line}; border-radius: {px(4)}px; }}
        QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
        """
