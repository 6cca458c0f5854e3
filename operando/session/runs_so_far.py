"""What the documents of a run have told so far, also of runs that nobody closed."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class RunSoFar:
    """One run as its documents tell it; ``streams`` has the name behind each descriptor's uid."""

    start: Mapping[str, Any]
    streams: dict[str, str] = field(default_factory=dict)
    num_events: Counter[str] = field(default_factory=Counter)
    outcome: Mapping[str, Any] | None = None
    stop: Mapping[str, Any] | None = None

    @property
    def uid(self) -> str:
        """Uid of the start document."""
        return str(self.start["uid"])

    @property
    def is_tomogram(self) -> bool:
        """Whether it is a tomogram's run, not the experiment's."""
        return self.start.get("kind") == "tomogram"


def runs_so_far(documents: list[tuple[str, dict[str, Any]]]) -> dict[str, RunSoFar]:
    """Return the runs of a journal by the uid of their start documents, in order."""
    runs: dict[str, RunSoFar] = {}
    of_descriptor: dict[str, RunSoFar] = {}
    for name, document in documents:
        if name == "start":
            runs[document["uid"]] = RunSoFar(document)
        elif name == "descriptor" and document["run_start"] in runs:
            run = of_descriptor[document["uid"]] = runs[document["run_start"]]
            run.streams[document["uid"]] = document["name"]
            run.num_events[document["name"]] += 0  # a declared stream without events is counted too
        elif name == "stop" and document["run_start"] in runs:
            runs[document["run_start"]].stop = document
        elif name in ("event", "event_page", "stream_datum") and document.get("descriptor") in of_descriptor:
            run = of_descriptor[document["descriptor"]]
            stream = run.streams[document["descriptor"]]
            if name == "stream_datum":  # one for each of the stream's keys
                run.num_events[stream] = max(run.num_events[stream], int(document["seq_nums"]["stop"]) - 1)
            else:
                run.num_events[stream] += 1 if name == "event" else len(document["time"])
            if name == "event" and stream == "outcome":
                run.outcome = document["data"]
    return runs
