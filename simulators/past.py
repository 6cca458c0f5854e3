"""What has happened to the simulated instruments, kept for a beamline that is started again: it has the same cell.

Cell and potentiostat are what their commands made of them: obeyed once more, at the same times, they are the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from operando.model.json_lines import JsonLinesWriter, read_json_lines
from simulators.potentiostat_channel import Channel
from simulators.potentiostat_technique import Technique

PAST_FILE = "past.jsonl"


@dataclass(frozen=True)
class Obeyed:
    """A command that the potentiostat obeyed, with what was loaded if it is one that loads."""

    time_s: float
    command: str
    sequence: tuple[Technique, ...] = ()


@dataclass(frozen=True)
class Past:
    """What there was before: when it all began, what the potentiostat obeyed, where everything else stood last."""

    began_s: float
    last_s: float
    obeyed: tuple[Obeyed, ...] = ()
    places: Mapping[str, float] = field(default_factory=dict)

    def repeat(self, channel: Channel) -> None:
        """Let a new channel obey what an earlier one has; its cell then is as that one's was."""
        for entry in self.obeyed:
            channel.advance(entry.time_s)
            if entry.command == "load":
                channel.load(entry.sequence)
            elif entry.command == "update":
                channel.update(entry.time_s, entry.sequence)
            elif entry.command == "start":
                channel.start(entry.time_s)
            else:
                channel.stop(entry.time_s)


class PastWriter:
    """Writes down what happens; each entry outlives this process when the call returns.

    It does not wait for the disk: a command is answered only when it is written down, and a stop must be quick.
    """

    def __init__(self, path: Path, began_s: float, places: Callable[[], Mapping[str, float]]) -> None:
        is_new = not path.exists()
        self._writer = JsonLinesWriter(path)
        self._places = places
        self._known = {} if is_new else dict(places())
        if is_new:
            self._writer.append({"time_s": began_s, "began": True})

    def obeyed(self, time_s: float, command: str, sequence: Sequence[Technique] = ()) -> None:
        """Write down a command of the potentiostat."""
        loaded = [{"name": each.name, "parameters": dict(each.parameters)} for each in sequence]
        self._writer.append({"time_s": time_s, "obeyed": command, "sequence": loaded}, durable=False)

    async def look(self, time_s: float) -> None:
        """Write down where things stand if that has changed."""
        found = dict(self._places())
        changed = {name: place for name, place in found.items() if self._known.get(name) != place}
        if changed:
            self._known = found
            self._writer.append({"time_s": time_s, "places": changed}, durable=False)


def read_past(path: Path) -> Past | None:
    """Return what was written down, ``None`` if nothing was."""
    entries = [entry for entry in read_json_lines(path) if isinstance(entry, dict)]
    if not entries or "began" not in entries[0]:
        return None
    places: dict[str, float] = {}
    for entry in entries:
        places |= entry.get("places", {})
    return Past(
        began_s=float(entries[0]["time_s"]),
        last_s=max(float(entry["time_s"]) for entry in entries),
        obeyed=tuple(
            Obeyed(
                float(entry["time_s"]),
                str(entry["obeyed"]),
                tuple(Technique(str(each["name"]), each["parameters"]) for each in entry["sequence"]),
            )
            for entry in entries
            if "obeyed" in entry
        ),
        places=places,
    )
