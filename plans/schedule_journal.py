"""The journal of the schedule: intents before, outcomes after, and what people ask for meanwhile."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from operando.model.clock import Clock
from operando.model.json_lines import JsonLinesReader, JsonLinesWriter
from operando.model.outcome import Outcome

Key = tuple[str, str]
Line = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """What a person asked for: ``what`` is tomogram, skip, note, stop-after or edit."""

    id: str
    what: str
    argument: str
    person: str


class ScheduleJournal:
    """Appends to ``schedule.jsonl`` durably and reads what others append; reads the past when it is opened."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._reader = JsonLinesReader(path)
        self._writer = JsonLinesWriter(path)
        self._num_unusable = 0
        self._last_attempt = 0
        self._outcomes: dict[Key, Line] = {}
        self._intents: dict[Key, Line] = {}
        self._commands: dict[Key, Line] = {}
        self._open_tomograms: dict[int, Line] = {}
        self._requests: dict[str, Request] = {}
        self._answered: set[str] = set()
        self.stop_after: str | None = None  # a step or tomogram, as long as nobody has stopped there
        self.skipped: dict[str, str] = {}  # who asked to skip each step or tomogram that was to come
        self.first_velocity_deg_s: float | None = None
        self._read()

    def intent(self, entry: str, name: str, **details: Any) -> None:
        """Write what is about to be done; return when the disk has it."""
        self._append("intent", entry=entry, name=name, **details)

    def outcome(self, entry: str, name: str, outcome: Outcome, **details: Any) -> None:
        """Write how it ended."""
        self._append("outcome", entry=entry, name=name, outcome=outcome.value, **details)

    def begun(self, *, rotation_velocity_deg_s: float) -> None:
        """Write that an acquisition begins, and the velocity of the stage: one that dies in a flight leaves another."""
        self._append("begun", rotation_velocity_deg_s=rotation_velocity_deg_s)

    def commanded(self, entry: str, name: str, **details: Any) -> str:
        """Write that the guard is about to be commanded for an entry; return the command's id.

        Whoever finds it here does not know whether the guard was still told: the same command with the same id, given
        once more, is obeyed at most once.
        """
        identity = uuid4().hex
        self._append("command", entry=entry, name=name, id=identity, **details)
        return identity

    def last_command(self, entry: str, name: str) -> Line | None:
        """Return the line of the last command for an entry."""
        return self._commands.get((entry, name))

    def next_attempt(self) -> int:
        """Return the number of the next attempt at a tomogram, counted over the whole run directory."""
        self._read()
        return self._last_attempt + 1

    def ended(self, entry: str, name: str) -> str | None:
        """Return the outcome that was written last for an entry, ``None`` if it has none yet."""
        line = self._outcomes.get((entry, name))
        return None if line is None else str(line.get("outcome"))

    def outcome_line(self, entry: str, name: str) -> Line | None:
        """Return the last outcome of an entry with all its details."""
        return self._outcomes.get((entry, name))

    def is_over(self, entry: str, name: str) -> bool:
        """Whether nothing more is to be done about an entry: it is complete, or can never be again."""
        return self.ended(entry, name) in (Outcome.COMPLETE, Outcome.MISSED)

    def incomplete(self, entry: str) -> dict[str, str]:
        """Return names and outcomes of what ended otherwise than complete, in the order of their first end."""
        ends = {name: str(line.get("outcome")) for (kind, name), line in self._outcomes.items() if kind == entry}
        return {name: outcome for name, outcome in ends.items() if outcome != Outcome.COMPLETE}

    def unfinished_tomograms(self) -> list[Line]:
        """Return the intents of attempts at tomograms that have no outcome."""
        return list(self._open_tomograms.values())

    def began_s(self, entry: str, name: str) -> float | None:
        """Return when an entry was first intended, in s of the clock."""
        line = self._intents.get((entry, name))
        return None if line is None else float(line["time"])

    def new_requests(self) -> list[Request]:
        """Return the requests that nobody has answered yet, oldest first."""
        self._read()
        return [request for identity, request in self._requests.items() if identity not in self._answered]

    def unnamed_tomogram(self, request: Request) -> str:
        """Return the name of a tomogram that was asked for without one: the same whoever answers the request."""
        unnamed = [each.id for each in self._requests.values() if each.what == "tomogram" and not each.argument]
        return f"asked_{unnamed.index(request.id) + 1:04d}"

    def begin(self, request: Request) -> None:
        """Take up a request that takes time; whoever resumes the run before it is answered takes it up again."""
        self._answered.add(request.id)

    def answer(self, request: Request, text: str, **decided: Any) -> None:
        """Say what became of a request, with what must be known of it when the run is resumed."""
        self._append(
            "request_done", id=request.id, what=request.what, argument=request.argument, answer=text, **decided
        )

    def stopped(self, name: str) -> None:
        """Write that the experiment ends after a step or tomogram as a person wished; it is no wish any more."""
        self._append("stopped", after=name)

    @property
    def num_damaged(self) -> int:
        """Lines that could not be used and were left out."""
        return self._reader.num_damaged + self._num_unusable

    def close(self) -> None:
        """Close the file."""
        self._writer.close()

    def _append(self, event: str, **fields: Any) -> None:
        self._writer.append({"time": self._clock.now(), "event": event, **fields})
        self._read()

    def _read(self) -> None:
        for line in self._reader.new_values():
            try:
                self._take_in(line)
            except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
                self._num_unusable += 1

    def _take_in(self, line: Line) -> None:
        event, key = line.get("event"), (str(line.get("entry")), str(line.get("name")))
        attempt = int(line.get("attempt", 0))
        if event == "intent":
            self._intents.setdefault(key, {**line, "time": float(line["time"])})
            self._last_attempt = max(self._last_attempt, attempt)
            if attempt:
                self._open_tomograms[attempt] = line
        elif event == "outcome":
            self._outcomes[key] = line
            self._open_tomograms.pop(attempt, None)
        elif event == "command":
            self._commands[key] = line
        elif event == "begun" and self.first_velocity_deg_s is None:
            self.first_velocity_deg_s = float(line["rotation_velocity_deg_s"])
        elif event == "request":
            request = Request(*(str(line.get(field, "")) for field in ("id", "what", "argument", "person")))
            self._requests[request.id] = request
        elif event == "request_done":
            self._answered.add(str(line.get("id")))
            self.stop_after = line.get("stop_after", self.stop_after)
            if "skips" in line:
                self.skipped[str(line["skips"])] = str(line["answer"])
        elif event == "stopped":
            self.stop_after = None
