"""A list of sentences that are wrapped, at a size that follows the window's."""

from PySide6 import QtCore, QtWidgets

from operando.monitor.theme import Look


class WordList(QtWidgets.QListWidget):
    """Rows of text that nobody edits or chooses.

    Parameters
    ----------
    size_px
        Of the text, at the smallest size of window.
    gap_px
        Between two rows, likewise.
    """

    def __init__(self, look: Look, *, size_px: float, gap_px: float = 0.0) -> None:
        super().__init__()
        self._size_px, self._gap_px = size_px, gap_px
        self.setWordWrap(True)
        self.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setResizeMode(QtWidgets.QListView.ResizeMode.Adjust)
        self.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        self.set_look(look)

    def set_look(self, look: Look) -> None:
        """Take another size."""
        self.look = look
        self.setStyleSheet(
            f"QListWidget {{ font-size: {look.px(self._size_px)}px; padding: {look.px(2)}px; }}"
            f"QListWidget::item {{ margin-bottom: {look.px(self._gap_px)}px; }}"
        )
