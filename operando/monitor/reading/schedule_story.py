"""What the journal of the schedule has told: which steps and tomograms began, which are over, what people changed."""

from math import nan
from typing import Any

from operando.model.outcome import Outcome

Key = tuple[str, str]
OVER = (Outcome.COMPLETE, Outcome.MISSED)
PAST = (*OVER, Outcome.PARTIAL, Outcome.FAILED)  # one that was aborted is taken when the run is resumed


class ScheduleStory:
    """Takes the lines of ``schedule.jsonl`` in one by one; times are on the run's clock."""

    def __init__(self) -> None:
        self.num_edits = 0
        self.under_way = ""  # key of the step
        self._begun_s: dict[Key, float] = {}
        self._ended: dict[Key, tuple[str, float]] = {}
        self._skipped: set[str] = set()

    def add_line(self, line: dict[str, Any]) -> None:
        """Take one line.

        Raises
        ------
        AttributeError, KeyError, TypeError, ValueError
            If it is not what the acquisition writes.
        """
        event, key = line["event"], (str(line.get("entry")), str(line.get("name")))
        if event == "intent":
            self._begun_s.setdefault(key, float(line["time"]))
            if key[0] == "step":
                self.under_way = key[1]
        elif event == "outcome":
            self._ended[key] = str(line["outcome"]) if "outcome" in line else "", float(line["time"])
            if key == ("step", self.under_way):
                self.under_way = ""
        elif event == "request_done":
            self.num_edits += "num_begun" in line
            if "skips" in line:
                self._skipped.add(str(line["skips"]))

    def is_over(self, entry: str, name: str) -> bool:
        """Whether nothing more is to be done about it: it is complete, was missed, or is to be skipped."""
        return name in self._skipped or self._ended.get((entry, name), ("", nan))[0] in OVER

    def is_past(self, tomogram: str) -> bool:
        """Whether a tomogram is not waited for any more, whatever became of it."""
        return tomogram in self._skipped or self._ended.get(("tomogram", tomogram), ("", nan))[0] in PAST

    def begun_s(self, entry: str, name: str) -> float:
        """Return when it was first begun; NaN if it was not."""
        return self._begun_s.get((entry, name), nan)
