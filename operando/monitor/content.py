"""What stands in the window in one theme: a banner that says what is watched, who has died, and the pages."""

from collections.abc import Sequence

from PySide6 import QtCore, QtGui, QtWidgets

from operando.model.run_directory import RunDirectory
from operando.monitor.page import Page
from operando.monitor.reading.run_processes import death_text, restart_text
from operando.monitor.reading.run_view import RunView
from operando.monitor.theme import BASE_SIZE_PX, Look

BANNER_SHARE = 0.87  # of the width of the smallest window; people make it smaller


class Content(QtWidgets.QWidget):
    """Banner, deaths and one tab for each page.

    Parameters
    ----------
    run
        The run that is watched.
    look
        Colours, which stay, and sizes.
    kinds
        Of pages, in the order of their tabs.
    """

    turned = QtCore.Signal()
    """Another page is seen."""

    def __init__(self, run: RunDirectory, look: Look, kinds: Sequence[type[Page]]) -> None:
        super().__init__()
        self._look = look
        self._banner, self._absences = QtWidgets.QLabel(), QtWidgets.QLabel()
        for label in (self._banner, self._absences):
            label.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        self._banner.setProperty("role", "banner")
        self._absences.setWordWrap(True)
        self._absences.hide()
        self._tabs = QtWidgets.QTabWidget()
        self._tabs.setDocumentMode(True)
        self._tabs.tabBar().setDrawBase(False)
        self.pages: Sequence[Page] = [kind(run, look) for kind in kinds]
        for number, page in enumerate(self.pages, start=1):
            self._tabs.addTab(page, page.title)
            self._tabs.setTabToolTip(number - 1, f"Key {number}")
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for widget in (self._banner, self._absences):
            layout.addWidget(widget)
        layout.addWidget(self._tabs, 1)
        for label in self.findChildren(QtWidgets.QLabel):
            if label.textFormat() is QtCore.Qt.TextFormat.AutoText:  # what stands in a run's files is no markup
                label.setTextFormat(QtCore.Qt.TextFormat.PlainText)
            if label.wordWrap() or label is self._banner:  # nor does a long word make the window wider
                policy = label.sizePolicy()
                policy.setHorizontalPolicy(QtWidgets.QSizePolicy.Policy.Ignored)
                label.setSizePolicy(policy)
        self._tabs.currentChanged.connect(lambda _: self.turned.emit())

    @property
    def page(self) -> Page:
        """The page that is seen."""
        return self.pages[self._tabs.currentIndex()]

    def turn_to(self, index: int) -> None:
        """See the page of that tab."""
        self._tabs.setCurrentIndex(index)

    def show_page(self, title: str) -> None:
        """Turn to the page whose title begins so, if there is one."""
        for index, page in enumerate(self.pages):
            if page.title.lower().startswith(title.lower()):
                self.turn_to(index)

    def set_look(self, look: Look) -> None:
        """Take another size."""
        if look != self._look:
            self._look = look
            for page in self.pages:
                page.set_look(look)

    def show_header(self, view: RunView, wall_s: float) -> None:
        """Say what is watched, and who should live and does not."""
        about = {
            True: "REHEARSAL · simulated cell and beam, nothing here was measured",
            False: "Beamline",
            None: "Not known yet whether this is a rehearsal",
        }[view.rehearsal]
        if view.recorded:
            about = "REHEARSAL · replay of a recorded scan; the cell's values do not belong to it"
        _give_role(self._banner, "rehearsal" if view.rehearsal else "banner")
        self._banner.setText(f"{about} · {self._name_beside(about, view.name)}")
        deaths = [death_text(process, wall_s) for process in view.missing]
        restarts = [restart_text(process, wall_s) for process in view.restarted(wall_s)]
        _give_role(self._absences, "dead" if deaths else "restarted")
        self._absences.setVisible(bool(deaths or restarts))
        self._absences.setText(" · ".join((*deaths, *restarts)))

    def _name_beside(self, about: str, name: str) -> str:
        """Return the run's name, in the middle of which something is left out if what must be read had no room."""
        metrics = QtGui.QFontMetricsF(self._banner.font())
        room = self._look.px(BANNER_SHARE * BASE_SIZE_PX[0]) - metrics.horizontalAdvance(f"{about} · ")
        return metrics.elidedText(name, QtCore.Qt.TextElideMode.ElideMiddle, room)


def _give_role(label: QtWidgets.QLabel, role: str) -> None:
    if label.property("role") != role:
        label.setProperty("role", role)
        label.style().polish(label)
