"""The monitor's window: it reads, shows what was read, and does what keys ask for."""

from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from operando.model.clock import Clock
from operando.model.run_directory import RunDirectory
from operando.monitor.content import Content
from operando.monitor.habits import Habits
from operando.monitor.health.page import HealthPage
from operando.monitor.history.page import HistoryPage
from operando.monitor.inside.page import InsidePage
from operando.monitor.now.page import NowPage
from operando.monitor.page import Page
from operando.monitor.reading.background import Background
from operando.monitor.reading.run_reader import RunReader
from operando.monitor.reading.run_view import RunView
from operando.monitor.reading.shown_text import shown_text
from operando.monitor.reading.time_of_day import zone_text
from operando.monitor.theme import Look, Theme, scale_of

TICK_MS = 10
UPDATE_S = 0.18  # and a tick: figures come five times a second
CATCHING_UP_S = 0.02  # between two updates while history is still to be read
SLOW_S, AGE_EVERY_S = 1.5, 0.25  # from when on a disk does not answer; ages grow meanwhile
HISTORY_BUDGET_S = 0.2  # of each update, so that no sample is shown a quarter of a second late
PAGES: tuple[type[Page], ...] = (NowPage, HistoryPage, InsidePage, HealthPage)
KEYS = (
    ("1 2 3 4", "Now, History, Inside the cell, Health"),
    ("T", "dark or light"),
    ("F or F11", "whole screen and back"),
    ("Ctrl+S", "save what is seen into a file"),
    ("Ctrl+Shift+C", "copy a picture of it"),
    ("H or F1", "these keys"),
    ("Ctrl+Q", "close the window; the run goes on"),
)


class MonitorWindow(QtWidgets.QMainWindow):
    """Follows a run; files are read in threads of their own so that a slow disk never stops the window.

    Parameters
    ----------
    run
        The run directory; nothing in it is changed but where a person wants the planes of the preview.
    host_clock
        The host's clock, for the age of what is shown.
    habits
        What is remembered from the last time; without it nothing is.
    """

    def __init__(self, run: RunDirectory, host_clock: Clock, habits: Habits | None = None) -> None:
        super().__init__()
        self._run, self._clock, self._folder = run, host_clock, shown_text(_below_home(run.path.absolute()))
        self._habits = Habits() if habits is None else habits
        self._reader = RunReader(run, host_clock, history_budget_s=HISTORY_BUDGET_S)
        self._run_reading, self._page_reading = Background("run reader"), Background("page reader")
        self._reading_page: Page | None = None
        self._update_s, self._aged_s = 0.0, 0.0
        self._page_problem, self._drawing_problem, self._disk_problem = "", "", ""
        self.view: RunView | None = None
        self.setWindowTitle(run.path.name)
        self.resize(1366, 768)
        self._look = Look(self._habits.theme, scale_of(self.width(), self.height()))
        self._contents: dict[Theme, Content] = {}
        self._put(self._habits.page)
        self.statusBar().showMessage("Reading the run ...")
        self._bind_keys()
        self._habits.restore_window(self)
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)

    @property
    def _content(self) -> Content:
        return self._contents[self._look.theme]

    @property
    def pages(self) -> Sequence[Page]:
        """All pages, in the order of their tabs."""
        return self._content.pages

    @property
    def page(self) -> Page:
        """The page that is seen."""
        return self._content.page

    @property
    def is_settled(self) -> bool:
        """Whether all samples, and what the page that is seen reads for itself, are shown; or why they are not."""
        if self.view is None or not (self.view.history_is_complete and self.view.lines_are_read):
            return False
        return bool(self._page_problem) or (self._reading_page is self.page and self.page.is_settled)

    def show_page(self, title: str) -> None:
        """Turn to the page of that title, if there is one."""
        self._content.show_page(title)

    def refresh(self) -> None:
        """Show what was read since the last call, if anything, and ask for more at once."""
        self._go_on(0.0, 0.0)

    def toggle_theme(self) -> None:
        """Change between dark and light."""
        title, chosen = self.page.title, [page.chosen() for page in self.pages]
        theme = Theme.LIGHT if self._look.theme is Theme.DARK else Theme.DARK
        self._look = Look(theme, self._look.scale)
        self._habits.theme = theme
        self._put(title)
        if self.view is not None:
            self._show_run(self.view)
            for page, choice in zip(self.pages, chosen, strict=True):
                try:
                    page.show_run(self.view, self._clock.now())
                    page.choose_again(choice)
                except Exception as error:
                    self._drawing_problem = _undrawn(page, error)

    def export(self, path: Path) -> None:
        """Write the page that is seen into a file, and say so or why not."""
        try:
            self.page.export(path)
        except Exception as error:
            self.statusBar().showMessage(f"Not saved: {error}", 10_000)
        else:
            self.statusBar().showMessage(f"Saved {path}", 10_000)

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Draw everything larger in a larger window."""
        super().resizeEvent(event)
        scale = scale_of(self.width(), self.height())
        if scale != self._look.scale:
            self._look = Look(self._look.theme, scale)
            self.setStyleSheet(self._look.style_sheet)
            self._content.set_look(self._look)
            if self.view is not None:
                self._show_run(self.view)

    def closeEvent(self, event: QtGui.QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Remember the habits; end the timer and the reading threads."""
        self._habits.remember(self, self.page.title)
        self._timer.stop()
        self._page_reading.close()
        if self._run_reading.close():
            self._reader.close()
        for theme, content in self._contents.items():
            if theme is not self._look.theme:
                content.deleteLater()
        super().closeEvent(event)

    def _tick(self) -> None:
        self._go_on(self._update_s, self.page.period_s)
        self._age()

    def _go_on(self, update_s: float, page_s: float) -> None:
        """Show what has been read; what comes next is read meanwhile."""
        of_run, of_page = self._run_reading.finished(), self._page_reading.finished()
        self._ask(update_s, page_s)
        if of_run is not None:
            self._take_run(of_run)
        if of_page is not None:
            self._take_page(of_page)

    def _age(self) -> None:
        """Let what is seen grow older while the disk does not answer, and say so."""
        now_s = self._clock.now()
        busy_s = self._run_reading.busy_s(now_s)
        if busy_s < SLOW_S:
            self._disk_problem = ""
        elif not 0 <= now_s - self._aged_s < AGE_EVERY_S:
            self._aged_s = now_s
            self._disk_problem = f"Reading the run has taken {busy_s:.0f} s so far; nothing newer is known"
            if self.view is None:
                self.statusBar().showMessage(self._disk_problem)
            else:
                self._show_run(self.view)

    def _ask(self, update_s: float, page_s: float) -> None:
        now_s = self._clock.now()
        self._run_reading.begin(self._reader.update, now_s, update_s)
        view, page = self.view, self.page
        if view is not None:
            if page is not self._reading_page:
                page_s = 0.0  # what is seen first is read at once
            self._page_reading.begin(lambda: (page, page.read(view)), now_s, page_s)

    def _take_run(self, done: Future[RunView]) -> None:
        if (error := done.exception()) is None:
            self._take_view(done.result())
        else:  # the window stays; a person must see why it stands still
            self.statusBar().showMessage(f"Reading the run failed: {type(error).__name__}: {error}")

    def _take_page(self, done: Future[tuple[Page, Any]]) -> None:
        error = done.exception()
        self._page_problem = "" if error is None else f"{self.page.title}: {error}"
        if error is None:
            page, read = done.result()
            try:
                self._show_read(page, read)
            except Exception as problem:
                self._page_problem = _undrawn(page, problem)

    def _take_view(self, view: RunView) -> None:
        reads_history = not view.history_is_complete and not view.shows_the_same_history(self.view)
        self._update_s = CATCHING_UP_S if reads_history or not view.lines_are_read else UPDATE_S
        self.view = view
        self._show_run(view)

    def _show_read(self, page: Page, read: Any) -> None:
        if page is self.page:
            self._reading_page = page
            page.show_read(read)

    def _put(self, page: str) -> None:
        """Put the content of the present theme into the window, turned to a page; it is made when it is first needed.

        It is kept while the other theme is seen: pyqtgraph never gives back all of a plot.
        """
        self.setStyleSheet(self._look.style_sheet)
        theme = self._look.theme
        if theme not in self._contents:
            self._contents[theme] = Content(self._run, self._look, PAGES)
            self._contents[theme].turned.connect(self._turned)
        self.takeCentralWidget()
        self._reading_page = None
        self._content.set_look(self._look)
        self._content.show_page(page)
        self.setCentralWidget(self._content)
        self._content.show()

    def _bind_keys(self) -> None:
        bound = {
            "T": self.toggle_theme,
            "F": self._toggle_full_screen,
            "F11": self._toggle_full_screen,
            "H": self._tell_keys,
            "F1": self._tell_keys,
            "Ctrl+S": self._ask_where_to_export,
            "Ctrl+Shift+C": self._copy,
            "Ctrl+Q": self.close,
        }
        for key, action in bound.items():
            QtGui.QShortcut(QtGui.QKeySequence(key), self, action)
        for number in range(len(PAGES)):
            sequence = QtGui.QKeySequence(str(number + 1))
            QtGui.QShortcut(sequence, self, lambda number=number: self._content.turn_to(number))

    def _turned(self) -> None:
        if self.view is not None:
            self._show_run(self.view)
        self._ask(self._update_s, 0.0)

    def _toggle_full_screen(self) -> None:
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    def _tell_keys(self) -> None:
        told = (*KEYS, *self.page.keys)
        rows = "".join(f"<tr><td><b>{key}</b>&nbsp;&nbsp;</td><td>{what}</td></tr>" for key, what in told)
        box = QtWidgets.QMessageBox(self)
        box.setWindowTitle("Keys")
        box.setText(f"<table>{rows}</table>")
        box.open()

    def _copy(self) -> None:
        QtWidgets.QApplication.clipboard().setPixmap(self.page.grab())
        self.statusBar().showMessage("A picture of the page is in the clipboard", 5_000)

    def _ask_where_to_export(self) -> None:
        suffixes = self.page.export_suffixes
        start = f"{self._run.path.name}_{self.page.title.split()[0].lower()}{suffixes[0]}"
        kinds = ";;".join(f"{suffix.removeprefix('.').upper()} (*{suffix})" for suffix in suffixes)
        name, chosen = QtWidgets.QFileDialog.getSaveFileName(self, "Save what is seen", start, kinds)
        if name:
            path = Path(name)
            self.export(path if path.suffix in suffixes else path.with_suffix(f".{chosen.split()[0].lower()}"))

    def _show_run(self, view: RunView) -> None:
        wall_s = self._clock.now()
        self.setWindowTitle(" – ".join(part for part in (view.kind_word, view.name, "operando monitor") if part))
        self._content.show_header(view, wall_s)
        self._show_page(view, wall_s)
        problems = " · ".join(
            filter(None, (self._disk_problem, self._drawing_problem, *view.problems, self._page_problem))
        )
        if not view.lines_are_read:
            problems = " · ".join(filter(None, ("Still reading what the run has written", problems)))
        self.statusBar().showMessage(
            problems
            or f"Reads {self._folder}; changes nothing but the planes of the preview. Times of day: {zone_text()}. "
            "H tells the keys."
        )

    def _show_page(self, view: RunView, wall_s: float) -> None:
        try:
            self.page.show_run(view, wall_s)
        except Exception as error:
            self._drawing_problem = _undrawn(self.page, error)
        else:
            self._drawing_problem = ""


def _undrawn(page: Page, error: Exception) -> str:
    return f"{page.title} cannot be drawn ({type(error).__name__}: {error})"


def _below_home(path: Path) -> Path:
    """Write a path as people do, with ~ for their home."""
    with suppress(RuntimeError, ValueError):  # nobody's home, or elsewhere
        return Path("~", path.relative_to(Path.home()))
    return path
