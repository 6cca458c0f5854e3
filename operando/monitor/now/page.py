"""The page of present values."""

from PySide6 import QtCore, QtWidgets

from operando.model.run_directory import RunDirectory
from operando.monitor.now.alarm_list import AlarmList
from operando.monitor.now.event_list import EventList
from operando.monitor.now.figure_panel import FigurePanel
from operando.monitor.now.told import guard_told, next_told, run_told, step_told, tomogram_told
from operando.monitor.now.told_card import ToldCard
from operando.monitor.page import Page
from operando.monitor.reading.run_view import RunView
from operando.monitor.theme import Look
from operando.monitor.tool_tip import plain_tip

FIGURES_SHARE, LISTS_SHARE = 62, 38  # of the height


class NowPage(Page):
    """Large figures with their limits, where the run stands, alarms, and the guard's log."""

    title = "Now"
    period_s = 0.2

    def __init__(self, run: RunDirectory, look: Look) -> None:
        super().__init__(run, look)
        self.figures = FigurePanel(look)
        self.guard = ToldCard(look, main_px=42)
        self.step, self.next_tomogram, self.tomogram = (ToldCard(look, main_px=28) for _ in range(3))
        self.run_card = ToldCard(look, main_px=22)
        self.alarms, self.log = AlarmList(look), EventList(look)
        self._headings = [QtWidgets.QLabel("Alarms"), QtWidgets.QLabel("The guard's log")]
        lists = QtWidgets.QGridLayout()
        for column, (heading, words) in enumerate(zip(self._headings, (self.alarms, self.log), strict=True)):
            heading.setProperty("role", "heading")
            lists.addWidget(heading, 0, column)
            lists.addWidget(words, 1, column)
            lists.setColumnStretch(column, 1)
        told = QtWidgets.QWidget()
        left, self._right = QtWidgets.QVBoxLayout(), QtWidgets.QVBoxLayout(told)
        self._right.setContentsMargins(0, 0, 0, 0)
        left.addWidget(self.figures, FIGURES_SHARE)
        left.addLayout(lists, LISTS_SHARE)
        for card in (self.guard, self.step, self.next_tomogram, self.tomogram, self.run_card):
            self._right.addWidget(card)
        self._right.addStretch(1)
        self._layout = QtWidgets.QHBoxLayout(self)
        self._layout.addLayout(left, 68)
        beside = QtWidgets.QScrollArea()  # a long reason must not make the window larger than the screen
        beside.setWidget(told)
        beside.setWidgetResizable(True)
        beside.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        beside.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._layout.addWidget(beside, 32)
        self.set_look(look)

    def set_look(self, look: Look) -> None:
        """Take another size."""
        super().set_look(look)
        for part in (
            self.figures,
            self.guard,
            self.step,
            self.next_tomogram,
            self.tomogram,
            self.run_card,
            self.alarms,
            self.log,
        ):
            part.set_look(look)
        self._right.setSpacing(look.px(6))
        self._layout.setSpacing(look.px(6))
        self._layout.setContentsMargins(*[look.px(6)] * 4)

    def show_run(self, view: RunView, wall_s: float) -> None:
        """Show the newest samples and events."""
        self.figures.show_figures(view, wall_s)
        self.guard.show_told(guard_told(view, wall_s))
        self.guard.setToolTip(plain_tip("\n".join(rule.text for rule in view.situation.limits or ())))
        self.step.show_told(step_told(view))
        self.next_tomogram.show_told(next_told(view))
        self.tomogram.show_told(tomogram_told(view))
        self.run_card.show_told(run_told(view))
        self.alarms.show_alarms(view)
        self.log.show_events(view.events, view.start_s)
