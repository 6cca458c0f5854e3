"""What a person chose the last time: theme, page, where the window was, and where its parts meet."""

from PySide6 import QtCore, QtWidgets

from operando.monitor.theme import Theme


class Habits:
    """Choices for one window; these forget everything."""

    def __init__(self, theme: Theme = Theme.DARK, page: str = "Now") -> None:
        self.theme, self.page = theme, page

    def restore_window(self, window: QtWidgets.QMainWindow) -> None:
        """Put a window where it was."""

    def remember(self, window: QtWidgets.QMainWindow, page: str) -> None:
        """Keep what is chosen now for the next window."""


class LastingHabits(Habits):
    """Choices that are kept in the person's own settings; what is damaged there counts as not chosen."""

    def __init__(self) -> None:
        self._settings = QtCore.QSettings("operando", "monitor")
        kept = str(self._settings.value("theme", ""))
        theme = Theme(kept) if kept in tuple(Theme) else Theme.DARK
        super().__init__(theme, str(self._settings.value("page", "Now")))

    def restore_window(self, window: QtWidgets.QMainWindow) -> None:
        """Put a window where it was, if that place still exists."""
        place = self._settings.value("place")
        if isinstance(place, QtCore.QByteArray):
            window.restoreGeometry(place)
        for key, splitter in _splitters(window):
            sizes = self._settings.value(key)
            if isinstance(sizes, QtCore.QByteArray):
                splitter.restoreState(sizes)

    def remember(self, window: QtWidgets.QMainWindow, page: str) -> None:
        """Write what is chosen now."""
        self._settings.setValue("theme", str(self.theme))
        self._settings.setValue("page", page)
        self._settings.setValue("place", window.saveGeometry())
        for key, splitter in _splitters(window):
            self._settings.setValue(key, splitter.saveState())
        self._settings.sync()


def _splitters(window: QtWidgets.QMainWindow) -> list[tuple[str, QtWidgets.QSplitter]]:
    """Return what parts a window, in the order in which it was made, and under which key it is kept."""
    content = window.centralWidget() or window  # a theme that was left is still a child of the window for a while
    return [(f"splitter_{number}", found) for number, found in enumerate(content.findChildren(QtWidgets.QSplitter))]
