"""Refusing what cannot be, before anything starts."""

from typing import Any


def refuse_what_cannot_be(request: Any, experiment: Any, geometry: str) -> None:
    """See plans.check."""
