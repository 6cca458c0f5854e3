"""What the guard shows to others after each sample, by the names of its process variables."""

import math
from collections.abc import Mapping
from typing import Any, Protocol

from operando.guard.samples import Sample


class Publisher(Protocol):
    """Where the guard's state is shown."""

    def publish(self, values: Mapping[str, Any], time_s: float) -> None:
        """Post values stamped with a time of the run's clock."""


def sample_values(sample: Sample, charge_mah: float | None, rows: Mapping[str, int]) -> dict[str, Any]:
    """Return what the instruments said, NaN where nothing; ``rows`` are the committed row ids of each table."""
    snapshot = sample.potentiostat
    return {
        "VOLTAGE": math.nan if snapshot is None else snapshot.voltage_v,
        "CURRENT": math.nan if snapshot is None else snapshot.current_a,
        "ELAPSED": math.nan if snapshot is None else snapshot.elapsed_s,
        "TECHNIQUE_INDEX": -1 if snapshot is None else snapshot.technique_index,
        "CHARGE": math.nan if charge_mah is None else charge_mah,
        "FORCE": sample.force_n,
        "PRESSURE": sample.pressure_mpa,
        "TEMPERATURE": math.nan if sample.temperature is None else sample.temperature.temperature_c,
        "SAMPLE_TIME": sample.time_s,
        "QUALITY": str(sample.quality),
        "POTENTIOSTAT_ROW": rows["potentiostat"],
        "LOAD_CELL_ROW": rows["load_cell"],
        "TEMPERATURE_ROW": rows["temperature"],
    }
