"""Which curves a simulated cell can follow: each a function, voltages that only fall or only rise."""

import itertools
from collections.abc import Iterator
from typing import Any

CURVES = (
    ("electrochemistry.discharge", "specific_charge", "voltage"),
    ("electrochemistry.charge", "returned_fraction", "voltage"),
    ("electrochemistry.later_discharge", "taken_fraction", "voltage"),
    ("cycling", "cycle", "capacity_kept"),
    ("cycling", "cycle", "crack_opening"),
    ("copper", "specific_charge", "segregated_fraction"),
    ("cracks.opening", "specific_charge", "opening"),
)
RISING = ("electrochemistry.charge",)


def wrong_curves(parameters: Any) -> Iterator[str]:
    """Yield a sentence for every curve of a cell file that no cell can follow."""
    for key, x_name, y_name in CURVES:
        table = parameters
        for part in key.split("."):
            table = getattr(table, part)
        x, y = getattr(table, x_name).value, getattr(table, y_name).value
        if len(x) != len(y) or len(x) < 2:
            yield f"{key}.{y_name}: has {len(y)} points, {x_name} has {len(x)}; both must have as many, at least 2."
            continue
        if any(b <= a for a, b in itertools.pairwise(x)):
            yield f"{key}.{x_name}: {x} must rise from point to point."
        sign = 1 if key in RISING else -1
        if y_name == "voltage" and any(sign * (b - a) <= 0 for a, b in itertools.pairwise(y)):
            yield f"{key}.voltage: {y} must {'rise' if sign > 0 else 'fall'} from point to point."
    charge = parameters.electrochemistry.charge
    volts, cut_off_v = charge.voltage.value, charge.cut_off_voltage.value
    if volts and not volts[0] < cut_off_v <= volts[-1]:
        yield (
            f"electrochemistry.charge.cut_off_voltage = {cut_off_v:g} V: must lie above {volts[0]:g} V and not above "
            f"{volts[-1]:g} V, where the curve of voltage begins and ends."
        )
    taken = parameters.electrochemistry.later_discharge.taken_fraction.value
    if taken and (taken[0], taken[-1]) != (0.0, 1.0):
        yield (
            f"electrochemistry.later_discharge.taken_fraction: goes from {taken[0]:g} to {taken[-1]:g}; "
            "it must go from 0 to 1."
        )
