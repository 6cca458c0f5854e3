"""A number on its way to becoming a measurement: it does not know yet from which run it comes."""

from dataclasses import dataclass, field
from typing import Any

from operando.model.measurement import Measurement


@dataclass(frozen=True)
class Quantity:
    """One measured value with its unit and its uncertainty (one standard deviation)."""

    name: str
    value: float
    unit: str
    uncertainty: float
    flags: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)

    def measured(self, *, tomogram: str, run_uid: str, time_s: float, num_frames: int) -> Measurement:
        """Say from which tomogram, or step, of which run it comes, when on the run's clock and from how many frames."""
        return Measurement(
            tomogram=tomogram,
            name=self.name,
            value=float(self.value),
            unit=self.unit,
            uncertainty=float(self.uncertainty),
            run_uid=run_uid,
            time=time_s,
            num_frames=num_frames,
            flags=self.flags,
            details=self.details,
        )
