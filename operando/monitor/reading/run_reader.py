"""Reads a run directory again and again, each time only what was added, and never fails on what it finds there."""

import contextlib
import sqlite3
from collections import deque
from collections.abc import Callable, Mapping
from math import inf, isfinite, nan
from typing import Any

from operando.model import frames
from operando.model.cell_log import CellLogReader
from operando.model.clock import Clock
from operando.model.declared_size import readable_frames
from operando.model.frames import FrameKind
from operando.model.hdf5_beside_writer import open_beside_writer
from operando.model.json_lines import JsonLinesReader
from operando.model.ordinary_file import ordinary_file
from operando.model.run_directory import RunDirectory
from operando.model.toml_file import toml_content
from operando.monitor.history.log_history import LONGEST_WAIT_S, LogHistory
from operando.monitor.history.table_queries import NewestRow
from operando.monitor.history.trace import Trace
from operando.monitor.reading.run_ledger import RunLedger
from operando.monitor.reading.run_processes import ProcessView, ProcessWatch
from operando.monitor.reading.run_story import ODD, RunStory
from operando.monitor.reading.run_view import (
    COLUMNS,
    DISPLAYS,
    Display,
    EventView,
    Figure,
    Quantity,
    RunView,
    TomogramView,
)
from operando.monitor.reading.shown_text import shown_name, shown_text
from operando.monitor.reading.situation import Situation
from operando.monitor.reading.situation_reader import SituationReader

NUM_EVENTS_SHOWN = 200
LINES_BUDGET_S = 0.2  # of each update, for each file of lines; the rest is read in the next one
LONGEST_LINE_BYTES = 2**23  # to understand a longer one would hold up the window
FRAME_LINES = b'["stream_datum"'  # four for each frame, and none says anything that the frames files do not


class RunReader:
    """Follows one run; :meth:`update` is called from one thread.

    Parameters
    ----------
    run
        Its directory.
    host_clock
        For when a process was seen to live or not.
    history_budget_s
        How long an update may take on top, while samples from before the first update are still to be read; with 0
        only those that come later are read.
    """

    def __init__(self, run: RunDirectory, host_clock: Clock, *, history_budget_s: float) -> None:
        self._run, self._clock = run, host_clock
        self._processes, self._seen_processes = ProcessWatch(run), tuple[ProcessView, ...]()
        self._history, self._history_budget_s = LogHistory(run.cell_log, COLUMNS), history_budget_s
        self._log: CellLogReader | None = None
        self._problems: dict[str, str] = {}
        self._gone: set[str] = set()
        self._begin_anew()

    def update(self) -> RunView:
        """Read what is new and return the whole of what is known."""
        self._try("files", self._look_for_others)
        self._try("cell.sqlite", self._read_cell_log)  # first: it may find that the run is another one
        self._try("documents.jsonl", self._read_documents)
        self._try("schedule.jsonl", lambda: self._take(self._schedule, self._story.add_schedule_line))
        self._try("results.jsonl", lambda: self._take(self._results, self._add_result))
        self._try("processes", self._look_at_processes)
        if self._rehearsal is None:
            self._try("beamline.toml", self._read_beamline)
        oldest_s = self._history.oldest_s
        start_s = min(self._story.start_s, oldest_s if isfinite(oldest_s) else inf)
        start_s = start_s if isfinite(start_s) else self._story.document_start_s
        newest, columns = self._history.newest, self._history.traces()
        traces = {quantity: columns[display.table, display.column] for quantity, display in DISPLAYS.items()}
        tomograms = self._story.tomograms(self._num_acquired)
        self._try("situation", lambda: self._look_at_situation(traces, tomograms))
        return RunView(
            name=self._story.name or shown_name(self._run.path.name),
            rehearsal=self._story.rehearsal if self._story.rehearsal is not None else self._rehearsal,
            recorded=self._story.recorded,
            ended=self._story.ended,
            start_s=start_s if isfinite(start_s) else nan,
            now_s=max((row.time_s for row in newest.values()), default=nan),
            state=self._story.state,
            trip=self._story.trip,
            step=self._story.step,
            figures={quantity: _figure(display, newest.get(display.table)) for quantity, display in DISPLAYS.items()},
            traces=traces,
            history_is_complete=self._history.is_complete,
            lines_are_read=not any(lines.has_more for lines in self._lines.values()),
            tomograms=tomograms,
            measurements=self._story.measurements(),
            events=tuple(self._events),
            processes=self._seen_processes,
            ledger=self._ledger.tomograms(),
            problems=tuple(shown_text(f"{name}: {problem}") for name, problem in self._all_problems().items()),
            situation=self._seen_situation,
        )

    def close(self) -> None:
        """Close the log."""
        self._history.close()
        self._close_events()

    def _begin_anew(self) -> None:
        """Forget all but the samples, which know themselves when their log is another one."""
        run = self._run
        self._documents = JsonLinesReader(run.documents, leave_out=FRAME_LINES, longest_bytes=LONGEST_LINE_BYTES)
        self._schedule = JsonLinesReader(run.schedule, longest_bytes=LONGEST_LINE_BYTES)
        self._results = JsonLinesReader(run.results, longest_bytes=LONGEST_LINE_BYTES)
        self._lines = {path.name: lines for path, lines in (
            (run.documents, self._documents), (run.schedule, self._schedule), (run.results, self._results),
        )}  # fmt: skip
        self._story, self._ledger = RunStory(), RunLedger()
        self._situation, self._seen_situation = SituationReader(run), Situation()
        self._close_events()
        self._last_event_id, self._generation = 0, self._history.generation
        self._events: deque[EventView] = deque(maxlen=NUM_EVENTS_SHOWN)
        self._rehearsal: bool | None = None

    def _look_for_others(self) -> None:
        """Begin anew where a file of lines was cut off, or another one stands in its place."""
        gone = {name for name, lines in self._lines.items() if lines.is_gone}
        if self._gone - gone or any(lines.is_another for lines in self._lines.values()):
            self._begin_anew()
        self._gone = gone

    def _close_events(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None

    def _try(self, name: str, read: Callable[[], None]) -> None:
        self._problems.pop(name, None)
        try:
            read()
        except (OSError, sqlite3.Error, ValueError) as error:
            self._problems[name] = f"cannot be read ({error})"
        except Exception as error:
            self._problems[name] = f"cannot be read ({type(error).__name__}: {error})"

    def _all_problems(self) -> dict[str, str]:
        problems = dict(self._problems)
        if self._history.problems:
            problems.setdefault("cell.sqlite", "; ".join(self._history.problems))
        for name, reader in self._lines.items():
            if name in self._gone:
                problems.setdefault(name, "is gone; what was read of it is shown")
            elif reader.num_damaged:
                problems.setdefault(name, f"{reader.num_damaged} damaged lines left out")
        if self._story.num_odd:
            problems["run"] = f"{self._story.num_odd} entries not understood and left out"
        return problems

    def _look_at_situation(self, traces: Mapping[Quantity, Trace], tomograms: tuple[TomogramView, ...]) -> None:
        now_s, processes = self._clock.now(), self._seen_processes
        self._seen_situation = self._situation.update(self._story, traces, tomograms, processes, now_s)

    def _look_at_processes(self) -> None:
        self._seen_processes = self._processes.update(self._clock.now())
        if self._processes.problem:
            raise ValueError(self._processes.problem)

    def _read_documents(self) -> None:
        self._take(self._documents, self._add_document)

    def _add_document(self, value: Any) -> None:
        self._story.add_document(value)
        with contextlib.suppress(*ODD):  # which the story has counted
            self._ledger.add_document(*value)

    def _add_result(self, value: Any) -> None:
        self._story.add_result(value)
        with contextlib.suppress(*ODD):
            self._ledger.add_result(*value)

    def _take(self, reader: JsonLinesReader, add: Callable[[Any], None]) -> None:
        give_up_s = self._clock.now() + LINES_BUDGET_S
        for value in reader.new_values(lambda: self._clock.now() > give_up_s):
            add(value)

    def _read_beamline(self) -> None:
        for path in (self._run.beamline, self._run.simulation / "beamline.toml"):
            if path.is_file():
                self._rehearsal = bool(toml_content(path).get("rehearsal", False))
                return

    def _read_cell_log(self) -> None:
        self._history.update(self._history_budget_s)
        if self._generation != self._history.generation:  # another log has taken its place
            self._begin_anew()
        if not self._run.cell_log.exists():
            self._close_events()
            return
        if self._log is None:
            self._log = CellLogReader(
                ordinary_file(self._run.cell_log), longest_wait_s=LONGEST_WAIT_S, despite_damage=True
            )
        try:
            if self._log.empty:
                return
            for row in self._log.each_row("events", after_id=self._last_event_id):
                self._last_event_id = row["id"]
                self._events.append(EventView(float(row["time_s"]), shown_name(row["kind"]), shown_text(row["text"])))
                self._story.add_guard_event(self._events[-1])
                self._situation.add_guard_event(row)
            self._situation.read_load_cell(self._log)
        except sqlite3.Error:
            self._close_events()
            raise

    def _num_acquired(self, attempt: int) -> int:
        path = self._run.frames_file(attempt, FrameKind.PROJECTION)
        # Not there yet, just being created, or damaged: then nothing was acquired as far as anybody can see.
        with (
            contextlib.suppress(OSError, KeyError, OverflowError, RuntimeError, ValueError),
            open_beside_writer(path) as file,
        ):
            return int(readable_frames(file[frames.IMAGES]).shape[0])
        return 0


def _figure(display: Display, newest: NewestRow | None) -> Figure:
    if newest is None:
        return Figure()
    return Figure(newest.values[display.column], newest.wall_s, shown_name(newest.quality), newest.period_s)
