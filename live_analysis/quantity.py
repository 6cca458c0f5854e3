"""A number on its way to becoming a measurement: it does not know yet from which run it comes."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Quantity:
    """One measured value with its unit and its uncertainty (one standard deviation)."""

    name: str
    value: float
    unit: str
    uncertainty: float
    flags: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
