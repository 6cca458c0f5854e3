"""Large present values, each with its unit, its age and its quality."""

from PySide6 import QtWidgets

from operando.monitor.now.card_content import card_contents
from operando.monitor.now.figure_card import FigureCard
from operando.monitor.reading.run_view import RunView
from operando.monitor.theme import Look

NUM_COLUMNS, NUM_CARDS = 3, 6


class FigurePanel(QtWidgets.QWidget):
    """Two rows of three cards."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._grid = QtWidgets.QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self.cards = [FigureCard(look) for _ in range(NUM_CARDS)]
        for index, card in enumerate(self.cards):
            self._grid.addWidget(card, *divmod(index, NUM_COLUMNS))
        for column in range(NUM_COLUMNS):
            self._grid.setColumnStretch(column, 1)
        for row in range(NUM_CARDS // NUM_COLUMNS):
            self._grid.setRowStretch(row, 1)
        self.set_look(look)

    def set_look(self, look: Look) -> None:
        """Take another size."""
        self._grid.setSpacing(look.px(6))
        for card in self.cards:
            card.set_look(look)

    def show_figures(self, view: RunView, wall_s: float) -> None:
        """Show the newest samples; ``wall_s`` is the host's present time."""
        for card, content in zip(self.cards, card_contents(view, wall_s), strict=True):
            card.show_content(content)
