"""Between which numbers a simulated cell is one: wide enough for any cell, so that a slip of the pen is seen."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

# Lowest and highest value of each number and of each element of a curve, in the unit of its key.
RANGES = {
    "layers.bore_diameter": (0.1, 100.0),
    "layers.wall_outer_diameter": (0.2, 500.0),
    "layers.bore_offset_x": (-5000.0, 5000.0),
    "layers.bore_offset_y": (-5000.0, 5000.0),
    "layers.cathode_thickness": (1.0, 10_000.0),
    "layers.cathode_packing": (0.01, 1.0),
    "layers.carbon_fraction": (0.0, 0.99),
    "layers.separator_thickness": (1.0, 10_000.0),
    "layers.separator_packing": (0.01, 1.0),
    "layers.lithium_thickness": (1.0, 10_000.0),
    "layers.lithium_diameter": (0.1, 100.0),
    "particles.active_mass": (1e-3, 50.0),
    "particles.median_diameter": (0.1, 1000.0),
    "particles.sigma_log": (0.01, 3.0),
    "particles.min_diameter": (0.1, 1000.0),
    "particles.max_diameter": (0.1, 1000.0),
    "particles.regional_load": (0.01, 100.0),
    "particles.inclusion_aspect": (1.0, 100.0),
    "particles.max_inclusion_tilt": (0.0, 90.0),
    "pores.volume_fraction": (0.0, 0.5),
    "pores.min_diameter": (0.1, 1000.0),
    "pores.max_diameter": (0.1, 1000.0),
    "pores.max_radius": (1.0, 50_000.0),
    "cracks.num_in_region": (0.0, 10_000.0),
    "cracks.region_width": (1.0, 100_000.0),
    "cracks.min_radius": (0.1, 50_000.0),
    "cracks.max_radius": (0.1, 50_000.0),
    "cracks.closing_ratio": (0.0, 1.0),
    "cracks.opening.specific_charge": (0.0, 5000.0),
    "cracks.opening.opening": (0.0, 1000.0),
    "electrochemistry.theoretical_capacity": (1.0, 5000.0),
    "electrochemistry.side_reaction_share": (0.0, 1.0),
    "electrochemistry.reference_specific_current": (1e-3, 10_000.0),
    "electrochemistry.series_resistance": (1e-3, 1e7),
    "electrochemistry.relaxation_resistance": (0.0, 1e7),
    "electrochemistry.relaxation_time": (1.0, 1e6),
    "electrochemistry.discharge.specific_charge": (0.0, 5000.0),
    "electrochemistry.discharge.voltage": (-1.0, 6.0),
    "electrochemistry.charge.cut_off_voltage": (0.0, 6.0),
    "electrochemistry.charge.returned_fraction": (0.0, 2.0),
    "electrochemistry.charge.voltage": (-1.0, 6.0),
    "electrochemistry.later_discharge.taken_fraction": (0.0, 1.0),
    "electrochemistry.later_discharge.voltage": (-1.0, 6.0),
    "cycling.cycle": (1.0, 1e6),
    "cycling.capacity_kept": (1e-3, 1.0),
    "cycling.crack_opening": (0.0, 100.0),
    "copper.specific_charge": (0.0, 5000.0),
    "copper.segregated_fraction": (0.0, 1.0),
    "copper.residual_segregated_volume": (0.0, 1e12),
    "pressure.initial": (0.0, 1000.0),
    "pressure.relaxation_in_24_h": (0.0, 1000.0),
    "pressure.relaxation_time": (1.0, 1e8),
    "pressure.stiffness": (0.0, 1000.0),
    "beam.energy": (5.0, 500.0),
    "beam.flat_structure": (0.0, 0.9),
    "beam.blur_fwhm": (0.0, 1000.0),
    "beam.counts_per_photon": (1e-4, 1e4),
    "beam.dark_offset": (0.0, 60_000.0),
    "beam.read_noise": (0.0, 10_000.0),
    "beam.axis_offset": (-5000.0, 5000.0),
}
# The first of each pair must be below the second.
ASCENDING = (
    ("layers.bore_diameter", "layers.wall_outer_diameter"),
    ("particles.min_diameter", "particles.max_diameter"),
    ("pores.min_diameter", "pores.max_diameter"),
    ("cracks.min_radius", "cracks.max_radius"),
)
# The first of each pair must not be above the second.
NOT_ABOVE = (
    ("layers.lithium_diameter", "layers.bore_diameter"),
    ("particles.min_diameter", "particles.median_diameter"),
    ("particles.median_diameter", "particles.max_diameter"),
    ("pressure.relaxation_in_24_h", "pressure.initial"),
)


def out_of_range(parameters: BaseModel) -> Iterator[str]:
    """Yield a sentence for every number that lies outside its range or on the wrong side of another."""
    for key, (lowest, highest) in RANGES.items():
        found = _at(parameters, key)
        unit = "" if found.unit == "1" else f" {found.unit}"
        for value in found.value if isinstance(found.value, tuple) else (found.value,):
            if not lowest <= value <= highest:
                yield f"{key} = {value:g}{unit}: allowed is {lowest:g} to {highest:g}{unit}."
    for key, larger_key in ASCENDING:
        low, high = _at(parameters, key), _at(parameters, larger_key)
        if not low.value < high.value:
            yield f"{key} = {low.value:g} {low.unit}: must be below {larger_key}, {high.value:g} {high.unit}."
    for key, larger_key in NOT_ABOVE:
        low, high = _at(parameters, key), _at(parameters, larger_key)
        if low.value > high.value:
            yield f"{key} = {low.value:g} {low.unit}: must not be above {larger_key}, {high.value:g} {high.unit}."


def _at(parameters: BaseModel, key: str) -> Any:
    found: Any = parameters
    for part in key.split("."):
        found = getattr(found, part)
    return found
