"""Numbers and words that a plan knows, as readable things for events of their own streams."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import IllegalMessageSequence, MsgGenerator

from operando.model.clock import Clock


class Facts:
    """A reading with the given fields, stamped with the run's clock; all of one name are one thing to the RunEngine."""

    parent = None

    def __init__(self, name: str, fields: Mapping[str, Any], clock: Clock) -> None:
        self.name = name
        self._fields = dict(fields)
        self._time_s = clock.now()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Facts) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def read(self) -> dict[str, dict[str, Any]]:
        """Return the fields with their time stamp."""
        return {key: {"value": value, "timestamp": self._time_s} for key, value in self._fields.items()}

    def describe(self) -> dict[str, dict[str, Any]]:
        """Return type and shape of each field."""
        return {key: {"source": f"plan:{self.name}", **_kind(value)} for key, value in self._fields.items()}

    def read_configuration(self) -> dict[str, Any]:
        """Return nothing: there is no configuration."""
        return {}

    def describe_configuration(self) -> dict[str, Any]:
        """Return nothing: there is no configuration."""
        return {}


def record(stream: str, fields: Mapping[str, Any], clock: Clock) -> MsgGenerator[None]:
    """Write one event with ``fields`` into ``stream`` of the run whose key is set around this."""
    yield from read_into(stream, Facts(stream, fields, clock))


def read_into(stream: str, readable: Any) -> MsgGenerator[None]:
    """Write one event with a reading of ``readable`` into ``stream``; an error leaves no half event behind."""
    yield from bps.create(stream)
    try:
        yield from bps.read(readable)
        yield from bps.save()
    except Exception:
        with contextlib.suppress(IllegalMessageSequence):  # the save itself has ended the bundle
            yield from bps.drop()
        raise


class Pages:
    """A flyer that hands over rows that already exist, as one event page per collection.

    Parameters
    ----------
    keys
        Field and unit of each column.
    """

    parent = None

    def __init__(self, name: str, keys: Mapping[str, str]) -> None:
        self.name = name
        self._keys = dict(keys)
        self._rows: list[Mapping[str, Any]] = []

    def put(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep ``rows`` for the next collection."""
        self._rows = list(rows)

    def describe_collect(self) -> dict[str, dict[str, Any]]:
        """Return the columns."""
        return {
            key: {"source": f"log:{self.name}", "dtype": "number", "shape": [], "units": unit}
            for key, unit in self._keys.items()
        }

    def collect_pages(self) -> list[dict[str, Any]]:
        """Return one page with the rows, or none if there are no rows."""
        rows, self._rows = self._rows, []
        if not rows:
            return []
        data = {key: [row[key] for row in rows] for key in self._keys}
        stamps = [row["time_s"] for row in rows]
        # The RunEngine stamps the page itself, with the host's time of this collection.
        return [{"data": data, "timestamps": dict.fromkeys(self._keys, stamps), "time": stamps}]

    def kickoff(self) -> None:
        """There is nothing to start."""

    def read_configuration(self) -> dict[str, Any]:
        """Return nothing: there is no configuration."""
        return {}

    def describe_configuration(self) -> dict[str, Any]:
        """Return nothing: there is no configuration."""
        return {}


def _kind(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"dtype": "string", "shape": []}
    if isinstance(value, bool):
        return {"dtype": "boolean", "shape": []}
    if isinstance(value, int | float):
        return {"dtype": "number", "shape": []}
    return {"dtype": "array", "shape": [len(value)]}
