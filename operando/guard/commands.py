"""What may be commanded of the guard, and the arguments that every command shares; how the rest is refused."""

from collections.abc import Mapping
from typing import Any

SHORTEST_PERIOD_S = 0.05
LONGEST_NAME = 40
LONGEST_PERIOD_S = 86400.0
STEPS = ("rest", "constant_current", "constant_voltage")
ALLOWED_WHILE_TRIPPED = ("clear_trip", "note", "open_circuit", "set_sampling")


class RefusedError(Exception):
    """A command that is not obeyed; the text is the reason."""


def refuse_unknown(name: str) -> None:
    """Raise RefusedError if the guard has no command ``name``."""
    if name not in (*STEPS, *ALLOWED_WHILE_TRIPPED):
        known = ", ".join((*STEPS, *ALLOWED_WHILE_TRIPPED))
        raise RefusedError(f"{name[:LONGEST_NAME]!r} is no command of the guard; there are {known}.")


def text_argument(arguments: Mapping[str, Any], key: str) -> str:
    """Return the text ``key``; raise RefusedError if it is missing or says nothing."""
    said = arguments.get(key)
    if not isinstance(said, str) or not said.strip():
        raise RefusedError(f"{key} is {said!r}; it must be a text that says something.")
    return said


def period_argument(arguments: Mapping[str, Any]) -> float:
    """Return the sampling period ``period_s``; raise RefusedError if it is no period."""
    period_s = arguments.get("period_s")
    if (
        not isinstance(period_s, int | float)
        or isinstance(period_s, bool)
        or not SHORTEST_PERIOD_S <= period_s <= LONGEST_PERIOD_S
    ):
        raise RefusedError(
            f"period_s is {str(period_s)[:40]!r}; it must be a number from {SHORTEST_PERIOD_S:g} to "
            f"{LONGEST_PERIOD_S:g} s."
        )
    return float(period_s)
