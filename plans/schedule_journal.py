"""The journal of the schedule: intents before, outcomes after, and what people ask for meanwhile."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operando.model.clock import Clock
from operando.model.json_lines import JsonLinesReader, JsonLinesWriter
from operando.model.outcome import Outcome


@dataclass(frozen=True)
class Request:
    """What a person asked for: ``what`` is tomogram, note or stop-after."""

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
        self._last_attempt = 0
        self._outcomes: dict[tuple[str, str], str] = {}
        self._intents: dict[tuple[str, str], dict[str, Any]] = {}
        self._requests: dict[str, Request] = {}
        self._answered: set[str] = set()
        self._read()

    def intent(self, entry: str, name: str, **details: Any) -> None:
        """Write what is about to be done; return when the disk has it."""
        self._append("intent", entry=entry, name=name, **details)

    def outcome(self, entry: str, name: str, outcome: Outcome, **details: Any) -> None:
        """Write how it ended."""
        self._append("outcome", entry=entry, name=name, outcome=outcome.value, **details)

    def next_attempt(self) -> int:
        """Return the number of the next attempt at a tomogram, counted over the whole run directory."""
        self._read()
        return self._last_attempt + 1

    def ended(self, entry: str, name: str) -> str | None:
        """Return the outcome that was written for an entry, ``None`` if it has none yet."""
        return self._outcomes.get((entry, name))

    def began_s(self, entry: str, name: str) -> float | None:
        """Return when an entry was first intended, in s of the clock."""
        line = self._intents.get((entry, name))
        return None if line is None else float(line["time"])

    def new_requests(self) -> list[Request]:
        """Return the requests that nobody has answered yet, oldest first."""
        self._read()
        return [request for identity, request in self._requests.items() if identity not in self._answered]

    def answer(self, request: Request, text: str) -> None:
        """Say what became of a request."""
        self._append("request_done", id=request.id, what=request.what, argument=request.argument, answer=text)
        self._answered.add(request.id)

    def close(self) -> None:
        """Close the file."""
        self._writer.close()

    def _append(self, event: str, **fields: Any) -> None:
        self._writer.append({"time": self._clock.now(), "event": event, **fields})
        self._read()

    def _read(self) -> None:
        for line in self._reader.new_values():
            if not isinstance(line, dict):
                continue
            event, key = line.get("event"), (str(line.get("entry")), str(line.get("name")))
            if event == "intent":
                self._intents.setdefault(key, line)
                self._last_attempt = max(self._last_attempt, int(line.get("attempt", 0)))
            elif event == "outcome":
                self._outcomes[key] = str(line.get("outcome"))
            elif event == "request":
                request = Request(*(str(line.get(field, "")) for field in ("id", "what", "argument", "person")))
                self._requests[request.id] = request
            elif event == "request_done":
                self._answered.add(str(line.get("id")))
