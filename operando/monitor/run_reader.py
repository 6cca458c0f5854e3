"""Reads a run directory again and again, each time only what was added, and never fails on what it finds there."""

import contextlib
import sqlite3
import tomllib
from collections import deque
from collections.abc import Callable
from math import inf, isfinite, nan
from typing import Any

from operando.model import frames
from operando.model.cell_log import CellLogReader
from operando.model.frames import FrameKind
from operando.model.hdf5_beside_writer import open_beside_writer
from operando.model.json_lines import JsonLinesReader
from operando.model.run_directory import RunDirectory
from operando.monitor.run_story import RunStory
from operando.monitor.run_view import DISPLAYS, TABLES, EventView, Figure, Quantity, RunView
from operando.monitor.trace import Trace

NUM_EVENTS_SHOWN = 200


class RunReader:
    """Follows one run; :meth:`update` is called from one thread."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._documents = JsonLinesReader(run.documents)
        self._schedule = JsonLinesReader(run.schedule)
        self._results = JsonLinesReader(run.results)
        self._story = RunStory()
        self._log: CellLogReader | None = None
        self._last_ids = dict.fromkeys((*TABLES, "events"), 0)
        self._traces = {quantity: Trace() for quantity in Quantity}
        self._figures = {quantity: Figure() for quantity in Quantity}
        self._events: deque[EventView] = deque(maxlen=NUM_EVENTS_SHOWN)
        self._first_s, self._now_s = inf, -inf
        self._rehearsal: bool | None = None
        self._problems: dict[str, str] = {}

    def update(self) -> RunView:
        """Read what is new and return the whole of what is known."""
        self._try("documents.jsonl", self._read_documents)
        self._try("schedule.jsonl", lambda: self._take(self._schedule, self._story.add_schedule_line))
        self._try("results.jsonl", lambda: self._take(self._results, self._story.add_result))
        self._try("cell.sqlite", self._read_cell_log)
        if self._rehearsal is None:
            self._try("beamline.toml", self._read_beamline)
        start_s = min(self._story.start_s, self._first_s)
        start_s = start_s if isfinite(start_s) else self._story.document_start_s
        return RunView(
            name=self._story.name or self._run.path.name,
            rehearsal=self._story.rehearsal if self._story.rehearsal is not None else self._rehearsal,
            recorded=self._story.recorded,
            ended=self._story.ended,
            start_s=start_s if isfinite(start_s) else nan,
            now_s=self._now_s if isfinite(self._now_s) else nan,
            state=self._story.state,
            trip=self._story.trip,
            step=self._story.step,
            figures=dict(self._figures),
            traces={quantity: trace.snapshot() for quantity, trace in self._traces.items()},
            tomograms=self._story.tomograms(self._num_acquired),
            measurements=self._story.measurements(),
            events=tuple(self._events),
            problems=tuple(f"{name}: {problem}" for name, problem in self._all_problems().items()),
        )

    def close(self) -> None:
        """Close the log."""
        if self._log is not None:
            self._log.close()
            self._log = None

    def _try(self, name: str, read: Callable[[], None]) -> None:
        self._problems.pop(name, None)
        try:
            read()
        except (OSError, sqlite3.Error, ValueError) as error:
            self._problems[name] = f"cannot be read ({error})"

    def _all_problems(self) -> dict[str, str]:
        problems = dict(self._problems)
        for name, reader in (
            ("documents.jsonl", self._documents),
            ("schedule.jsonl", self._schedule),
            ("results.jsonl", self._results),
        ):
            if reader.num_damaged:
                problems.setdefault(name, f"{reader.num_damaged} damaged lines left out")
        if self._story.num_odd:
            problems["run"] = f"{self._story.num_odd} entries not understood and left out"
        return problems

    def _read_documents(self) -> None:
        self._take(self._documents, self._story.add_document)

    @staticmethod
    def _take(reader: JsonLinesReader, add: Callable[[Any], None]) -> None:
        for value in reader.new_values():
            add(value)

    def _read_beamline(self) -> None:
        for path in (self._run.beamline, self._run.simulation / "beamline.toml"):
            if path.is_file():
                self._rehearsal = bool(tomllib.loads(path.read_text(encoding="utf-8")).get("rehearsal", False))
                return

    def _read_cell_log(self) -> None:
        if self._log is None:
            if not self._run.cell_log.exists():
                return
            self._log = CellLogReader(self._run.cell_log)
        try:
            for table in TABLES:
                self._add_samples(table, self._log.rows(table, after_id=self._last_ids[table]))
            for row in self._log.rows("events", after_id=self._last_ids["events"]):
                self._last_ids["events"] = row["id"]
                self._events.append(EventView(float(row["time_s"]), str(row["kind"]), str(row["text"])))
                self._story.add_guard_event(self._events[-1])
        except sqlite3.Error:
            self.close()
            raise

    def _add_samples(self, table: str, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        self._last_ids[table] = rows[-1]["id"]
        times_s = [float(row["time_s"]) for row in rows]
        self._first_s = min(self._first_s, times_s[0])
        self._now_s = max(self._now_s, times_s[-1])
        for quantity, display in DISPLAYS.items():
            if display.table == table:
                values = [nan if row[display.column] is None else float(row[display.column]) for row in rows]
                self._traces[quantity].extend(times_s, values)
                self._figures[quantity] = Figure(
                    values[-1], float(rows[-1]["wall_s"]), str(rows[-1]["quality"]), float(rows[-1]["period_s"])
                )

    def _num_acquired(self, attempt: int) -> int:
        path = self._run.frames_file(attempt, FrameKind.PROJECTION)
        # Not there yet, just being created, or damaged: then nothing was acquired as far as anybody can see.
        with contextlib.suppress(OSError, KeyError, RuntimeError), open_beside_writer(path) as file:
            return int(file[frames.IMAGES].shape[0])
        return 0
