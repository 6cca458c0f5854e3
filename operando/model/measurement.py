"""A number that live analysis measured, with everything needed to trust or replace it."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Measurement:
    """One value; a refined one names in ``replaces`` the one it supersedes."""

    tomogram: str
    name: str
    value: float
    unit: str
    uncertainty: float
    run_uid: str
    time: float
    num_frames: int
    flags: tuple[str, ...] = ()
    replaces: str | None = None
    details: dict[str, Any] = field(default_factory=dict)

    def as_document(self) -> dict[str, Any]:
        """Return plain values for a bluesky event."""
        return {**asdict(self), "flags": list(self.flags)}
