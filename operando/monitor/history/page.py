"""The page of traces and half cycles."""

from collections.abc import Iterator
from math import isfinite, nan
from pathlib import Path
from typing import Any

from PySide6 import QtWidgets

from operando.model.run_directory import RunDirectory
from operando.monitor.history.controls import Controls
from operando.monitor.history.cursor_notes import MARGIN_PX, CursorNotes
from operando.monitor.history.export import write_picture, write_text
from operando.monitor.history.half_cycle_panels import half_cycle_panels
from operando.monitor.history.half_cycle_plots import MOST_CYCLES, HalfCyclePlots
from operando.monitor.history.half_cycles import HalfCycle
from operando.monitor.history.history_reading import HistoryRead, HistoryReading, Wanted
from operando.monitor.history.keyboard import KEY_TEXTS, Key, bind_keys
from operando.monitor.history.missing_text import missing_text
from operando.monitor.history.plot_axis import PlotAxis, TimeAxis, time_axis
from operando.monitor.history.seen_text import seen_text
from operando.monitor.history.stretch import Stretch
from operando.monitor.history.time_range import RangeChoice
from operando.monitor.history.trace_plots import TracePlots
from operando.monitor.history.view_choice import AxisChoice, HistoryChoice, ViewChoice
from operando.monitor.page import Page
from operando.monitor.reading.run_view import Quantity, RunView
from operando.monitor.theme import Look

USUAL = (Quantity.VOLTAGE, Quantity.CURRENT, Quantity.PRESSURE)
ZOOM, PAN = 0.7, 0.25


class HistoryPage(Page):
    """Traces against time or charge with tomograms, events and slope breaks; half cycles over each other; dQ/dV."""

    title = "History"
    keys = KEY_TEXTS
    export_suffixes = (".png", ".svg", ".csv")

    def __init__(self, run: RunDirectory, look: Look) -> None:
        super().__init__(run, look)
        self._reading = HistoryReading(run)
        self._view: RunView | None = None
        self._read, self._wanted = HistoryRead(), Wanted()
        self._stretch = Stretch()
        self._choice = ViewChoice.TRACES
        self._axes = {ViewChoice.TRACES: AxisChoice.TIME, ViewChoice.OVERLAID: AxisChoice.CHARGE}
        self._panels_of: tuple[object, ...] = ()
        self._pointed, self._exporting = nan, False
        self._controls = Controls(look, USUAL)
        self._traces, self._half_cycles = TracePlots(look, USUAL), HalfCyclePlots(look)
        self._notes = CursorNotes(look)
        self._missing = QtWidgets.QLabel()
        self._missing.setWordWrap(True)
        self._missing.setProperty("role", "dim")
        self._stack = QtWidgets.QStackedWidget()
        self._stack.addWidget(self._traces.widget)
        self._stack.addWidget(self._half_cycles.widget)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._controls)
        layout.addWidget(self._missing)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self._notes)
        self._connect()
        self._bind_keys()
        self.set_look(look)
        self._show_choices()
        self._show_cursor()

    def set_look(self, look: Look) -> None:
        """Take another size."""
        super().set_look(look)
        for part in (self._controls, self._traces, self._half_cycles, self._notes):
            part.set_look(look)
        self._missing.setContentsMargins(look.px(2 * MARGIN_PX), 0, look.px(2 * MARGIN_PX), look.px(MARGIN_PX))

    def read(self, view: RunView) -> Any:
        """Read events, slope breaks and the active mass; compute half cycles and what is shown of them."""
        return self._reading.read(view, self._wanted)

    def show_run(self, view: RunView, wall_s: float) -> None:
        """Draw what has changed."""
        del wall_s
        self._view = view
        self._show()
        if self._stretch.follow:
            self._apply_range()

    def show_read(self, read: HistoryRead) -> None:
        """Draw what was read."""
        self._read = read
        self._controls.show_cycles(self._num_cycles, self._stretch.shown_cycle)
        if self._view is not None:
            self.show_run(self._view, nan)

    def export(self, path: Path) -> None:
        """Write the plots as PNG or SVG, or all samples in the range that is seen as CSV."""
        if self._stack.isHidden():
            raise OSError(f"{path}: there is nothing to write")
        if path.suffix.lower() != ".csv":
            plots = self._traces if self._choice is ViewChoice.TRACES else self._half_cycles
            write_picture(plots.widget, path)
            return
        if self._exporting:
            raise OSError(f"{path}: another file is still being written; wait for it")
        self._exporting = True
        self._notes.hold(held=True)
        try:
            write_text(self._text(path), path, lambda num: self._notes.tell(f"Writing {path}: {num} rows so far"))
        finally:
            self._exporting = False
            self._notes.hold(held=False)

    @property
    def is_settled(self) -> bool:
        """Whether half cycles and slope breaks are those of the whole run."""
        return self._read.settled

    def chosen(self) -> HistoryChoice:
        """Return what is shown, and how."""
        return HistoryChoice(self._stretch, self._choice, dict(self._axes), self._traces.quantities)

    def choose_again(self, chosen: HistoryChoice) -> None:
        """Show the same; a stretch that was chosen by hand is all since the start."""
        self._axes = dict(chosen.axes)
        self.choose_quantities(chosen.quantities)
        self.choose_view(chosen.view)
        is_free = chosen.stretch.choice is RangeChoice.FREE
        self.choose_range(RangeChoice.SINCE_START if is_free else chosen.stretch.choice, chosen.stretch.cycle)
        self.choose_follow(chosen.stretch.follow)

    def choose_range(self, choice: RangeChoice, cycle: int = 0) -> None:
        """Show another stretch of the run."""
        self._stretch = self._stretch.chosen(choice, cycle)
        if choice is not RangeChoice.FREE:
            self._half_cycles.show_all()
        self._controls.show_cycles(self._num_cycles, self._stretch.shown_cycle)
        self._show_choices()
        self._show()
        self._apply_range()

    def choose_cycle(self, step: int) -> None:
        """Show the next cycle, or the one before."""
        if self._num_cycles:
            other = self._stretch.other_cycle(step, self._num_cycles)
            self.choose_range(other.choice, other.cycle)

    def choose_view(self, choice: ViewChoice) -> None:
        """Show traces, half cycles over each other, or dQ/dV."""
        self._choice = choice
        self._stack.setCurrentIndex(0 if choice is ViewChoice.TRACES else 1)
        self._point(nan)
        self._show_choices()
        self._show()

    def choose_axis(self, choice: AxisChoice) -> None:
        """Draw against time or charge."""
        if self._choice in self._axes:
            self._axes[self._choice] = choice
            self._point(nan)
            self._show_choices()
            self._show()
            self._apply_range()

    def choose_follow(self, follow: bool) -> None:
        """Keep the newest samples in view, or what is seen now."""
        self._stretch = self._stretch.following(follow)
        self._show_choices()
        self._apply_range()

    def choose_quantities(self, quantities: tuple[Quantity, ...]) -> None:
        """Show the traces of these quantities."""
        self._traces.choose(quantities)
        self._controls.show_quantities(quantities)
        self._show()

    @property
    def _num_cycles(self) -> int:
        return self._read.half_cycles[-1].cycle if self._read.half_cycles else 0

    @property
    def _time_axis(self) -> TimeAxis | None:
        view = self._view
        if view is None or not isfinite(view.start_s):
            return None
        return time_axis(view.start_s, max(view.now_s - view.start_s, 0.0), rehearsal=bool(view.rehearsal))

    @property
    def _axis(self) -> PlotAxis | None:
        """What traces are drawn against; None if there is nothing to draw."""
        against_charge = self._axes[ViewChoice.TRACES] is AxisChoice.CHARGE
        return self._read.axis if against_charge and self._read.axis is not None else self._time_axis

    def _show(self) -> None:
        view = self._view
        if view is None:
            return
        if (axis := self._axis) is not None:
            self._traces.show_run(view, self._read, axis)
        shown = self._shown_half_cycles()
        is_overlaid = self._choice is ViewChoice.OVERLAID
        self._wanted = Wanted(
            half_cycles=shown if self._choice is not ViewChoice.TRACES else (),
            quantities=self._traces.quantities if is_overlaid else (),
            differential=self._choice is ViewChoice.DIFFERENTIAL,
        )
        if self._choice is not ViewChoice.TRACES and self._read.wanted.shows_the_same_as(self._wanted):
            self._show_half_cycles(shown)
        told = missing_text(view, self._read, self._choice, self._axes.get(self._choice), shown, self._traces)
        self._missing.setText(told)
        self._missing.setVisible(bool(told))
        has_samples = any(trace.time_range_s is not None for trace in view.traces.values())
        # Axes of plots without a line would tell numbers that nobody measured.
        for part in (self._stack, self._notes):
            part.setVisible(has_samples and (self._choice is ViewChoice.TRACES or bool(shown)))

    def _show_half_cycles(self, shown: tuple[HalfCycle, ...]) -> None:
        read, axis = self._read, self._axes.get(self._choice)
        of = self._choice, axis, read.unit, read.curves, read.differential, read.breaks, self.look
        if of != self._panels_of:
            self._panels_of = of
            quantities = () if self._choice is ViewChoice.DIFFERENTIAL else self._traces.quantities
            against_charge = axis is AxisChoice.CHARGE
            self._half_cycles.show_panels(
                *half_cycle_panels(read, shown, quantities, self.look, against_charge=against_charge)
            )

    def _shown_half_cycles(self) -> tuple[HalfCycle, ...]:
        """Return the half cycles of the stretch that was chosen, of at most as many cycles as there are colours."""
        return self._stretch.half_cycles(self._read.half_cycles, self._view, self._traces.range_s, most=MOST_CYCLES)

    def _apply_range(self) -> None:
        view = self._view
        if view is None or self._axis is None:
            return
        chosen = self._stretch.range_s(view, self._read.half_cycles)
        if chosen is not None:
            self._traces.set_range_s(chosen)
        elif self._stretch.follow:
            self._traces.scroll_to(view.now_s)

    def _moved(self) -> None:
        """Leave what was chosen, as somebody moved or zoomed by hand."""
        self._stretch = self._stretch.moved()
        self._controls.show_cycles(self._num_cycles, 0)
        self._show_choices()

    def _move(self, *, zoom: float = 1.0, pan: float = 0.0) -> None:
        plots = self._traces if self._choice is ViewChoice.TRACES else self._half_cycles
        plots.zoom(zoom)
        plots.pan(pan)
        if plots is self._traces:
            self._moved()

    def _point(self, place: float) -> None:
        self._pointed = place
        self._show_cursor()

    def _show_cursor(self) -> None:
        """Draw the cursor's line and tell what is there."""
        place = self._pointed if isfinite(self._pointed) else None
        shown = self._traces if self._choice is ViewChoice.TRACES else self._half_cycles
        shown.show_cursor(place)
        axis, panels = self._time_axis, self._half_cycles.panels
        if place is None:
            self._notes.show_nothing()
        elif shown is self._half_cycles and panels:
            self._notes.show_half_cycles(panels[0], place, self._half_cycles.values_at(place))
        elif shown is self._traces and self._view is not None and axis is not None:
            near = self._traces.texts_near(place)
            self._notes.show_samples(self._view, axis, place, self._read.unit, near, self.look)
        else:
            self._notes.show_nothing()

    def _show_choices(self) -> None:
        axis = self._axes.get(self._choice, AxisChoice.CHARGE)
        self._controls.show_choices(self._stretch.choice, self._choice, axis, follow=self._stretch.follow)

    def _text(self, path: Path) -> Iterator[str]:
        if self._view is None:
            raise OSError(f"{path}: there is no sample to write")
        try:
            return seen_text(self._view, self._read, self._choice, self._traces.range_s, self._shown_half_cycles())
        except ValueError as error:
            raise OSError(f"{path}: {error}") from error

    def _connect(self) -> None:
        self._controls.range_chosen.connect(self.choose_range)
        self._controls.view_chosen.connect(self.choose_view)
        self._controls.axis_chosen.connect(self.choose_axis)
        self._controls.follow_chosen.connect(self.choose_follow)
        self._controls.quantities_chosen.connect(self.choose_quantities)
        self._traces.pointed.connect(self._point)
        self._traces.moved.connect(self._moved)
        self._half_cycles.pointed.connect(self._point)

    def _bind_keys(self) -> None:
        views, axes = list(ViewChoice), list(AxisChoice)
        bind_keys(
            self,
            {
                Key.LAST_HOUR: lambda: self.choose_range(RangeChoice.LAST_HOUR),
                Key.SINCE_START: lambda: self.choose_range(RangeChoice.SINCE_START),
                Key.NEXT_CYCLE: lambda: self.choose_cycle(1),
                Key.LAST_CYCLE: lambda: self.choose_cycle(-1),
                Key.FOLLOW: lambda: self.choose_follow(not self._stretch.follow),
                Key.VIEW: lambda: self.choose_view(views[(views.index(self._choice) + 1) % len(views)]),
                Key.AXIS: lambda: self.choose_axis(axes[1 - axes.index(self._axes.get(self._choice, AxisChoice.TIME))]),
                Key.ZOOM_IN: lambda: self._move(zoom=ZOOM),
                Key.ZOOM_OUT: lambda: self._move(zoom=1 / ZOOM),
                Key.BACK: lambda: self._move(pan=-PAN),
                Key.ON: lambda: self._move(pan=PAN),
            },
        )
