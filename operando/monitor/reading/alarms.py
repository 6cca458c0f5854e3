"""What a person should look at: trips, broken limits and missed ones, late samples, with when each was over."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isnan, nan
from typing import Any

from operando.monitor.reading.shown_text import shown_text

NUM_KEPT = 100
WORDS = {
    "trip": "TRIP",
    "unsafe": "UNSAFE",
    "limit": "LIMIT",
    "limit_missed": "LIMIT MISSED",
    "late": "LATE",
    "log_late": "LOG LATE",
}
_INSTANT = ("limit_missed", "late", "log_late")  # there is no time at which it is over


@dataclass(frozen=True)
class AlarmView:
    """One alarm; ``time_s`` and ``over_s`` are on the run's clock, ``wall_s`` on the host's; NaN while it is not over.

    ``ending`` is what ended it, if anybody said so. ``about`` is what the same alarm would be told of again.
    """

    kind: str
    text: str
    time_s: float
    wall_s: float
    about: tuple[str, ...] = ()
    over_s: float = nan
    ending: str = ""

    @property
    def is_on(self) -> bool:
        """Whether it is not over."""
        return isnan(self.over_s) and self.kind not in _INSTANT

    @property
    def word(self) -> str:
        """What it is, in capitals."""
        return WORDS[self.kind]


class Alarms:
    """Takes the events of the guard's log in one by one."""

    def __init__(self) -> None:
        self._kept: list[AlarmView] = []
        self.num_left_out = 0

    @property
    def all(self) -> tuple[AlarmView, ...]:
        """All that go on and the newest of those that are over, the oldest first."""
        return tuple(self._kept)

    def add(self, row: Mapping[str, Any]) -> None:
        """Take one row of the table ``events``."""
        kind, text = str(row["kind"]), shown_text(row["text"])
        time_s, wall_s = float(row["time_s"]), float(row["wall_s"])
        about = _about(row)
        if kind in WORDS:
            if kind == "unsafe" and any(alarm.is_on and alarm.kind == kind for alarm in self._kept):
                return  # it is told again and again
            self._kept.append(AlarmView(kind, text, time_s, wall_s, about))
            if len(self._kept) > NUM_KEPT:
                self._leave_one_out()
        elif kind == "limit_over":
            self._end("limit", time_s, text, about)
        elif kind == "safe":
            self._end("unsafe", time_s, text)
        elif kind == "trip_cleared":
            self._end("trip", time_s, f"Cleared by {text}")
        elif kind == "guard" and text.startswith("Started"):
            self._end("limit", time_s, "The guard began anew.")  # what still is so it tells again

    def _leave_one_out(self) -> None:
        """Forget the oldest that is over; of too many that go on, each told again and again, the oldest."""
        del self._kept[next((index for index, alarm in enumerate(self._kept) if not alarm.is_on), 0)]
        self.num_left_out += 1

    def _end(self, kind: str, time_s: float, ending: str, about: tuple[str, ...] | None = None) -> None:
        for index, alarm in enumerate(self._kept):
            if alarm.kind == kind and alarm.is_on and about in (None, alarm.about):
                self._kept[index] = replace(alarm, over_s=time_s, ending=ending)


def _about(row: Mapping[str, Any]) -> tuple[str, ...]:
    try:
        data = json.loads(row["data"])
        return tuple(str(data.get(key, "")) for key in ("quantity", "limit_kind", "class", "action"))
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return ()
