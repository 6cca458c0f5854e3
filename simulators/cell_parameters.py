"""The simulated cell's parameters as a person edits them: every value with unit and source."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from operando.model.materials import MATERIALS
from operando.model.toml_file import Table, read_toml
from simulators.cell_curves import wrong_curves
from simulators.cell_ranges import out_of_range


def _known_material(name: str) -> str:
    if name not in MATERIALS:
        raise ValueError(f"{name!r} is not in the table of materials; allowed are {', '.join(sorted(MATERIALS))}")
    return name


class Value(Table):
    """One number."""

    value: float
    unit: str
    source: str


class Material(Table):
    """A material by its name in ``operando.model.materials``."""

    value: Annotated[str, AfterValidator(_known_material)]
    source: str


class Values(Table):
    """A list of numbers."""

    value: tuple[float, ...]
    unit: str
    source: str


def _in_unit(unit: str) -> AfterValidator:
    def right_unit(value: Value | Values) -> Value | Values:
        if value.unit != unit:
            raise ValueError(f"has unit {value.unit!r}; it must be given in {unit!r}")
        return value

    return AfterValidator(right_unit)


Millimetres = Annotated[Value, _in_unit("mm")]
Micrometres = Annotated[Value, _in_unit("um")]
Pure = Annotated[Value, _in_unit("1")]
Milligrams = Annotated[Value, _in_unit("mg")]
Degrees = Annotated[Value, _in_unit("deg")]
MilliampereHoursPerGram = Annotated[Value, _in_unit("mAh/g")]
MilliamperesPerGram = Annotated[Value, _in_unit("mA/g")]
Ohms = Annotated[Value, _in_unit("ohm")]
Seconds = Annotated[Value, _in_unit("s")]
Volts = Annotated[Value, _in_unit("V")]
CubicMicrometres = Annotated[Value, _in_unit("um3")]
Megapascals = Annotated[Value, _in_unit("MPa")]
MegapascalsPerMicrometre = Annotated[Value, _in_unit("MPa/um")]
KiloElectronvolts = Annotated[Value, _in_unit("keV")]


class Layers(Table):
    """Cell, from the outside in and from the collector up."""

    bore_diameter: Millimetres
    wall_outer_diameter: Millimetres
    wall_material: Material
    piston_material: Material
    bore_offset_x: Micrometres
    bore_offset_y: Micrometres
    cathode_thickness: Micrometres
    cathode_packing: Pure
    carbon_fraction: Pure
    separator_thickness: Micrometres
    separator_packing: Pure
    lithium_thickness: Micrometres
    lithium_diameter: Millimetres


class Particles(Table):
    """CuS particles and the copper that grows in them."""

    active_mass: Milligrams
    median_diameter: Micrometres
    sigma_log: Pure
    min_diameter: Micrometres
    max_diameter: Micrometres
    regional_load: Pure
    inclusion_aspect: Pure
    max_inclusion_tilt: Degrees


class Pores(Table):
    """Resolved pores of the matrix."""

    volume_fraction: Pure
    min_diameter: Micrometres
    max_diameter: Micrometres
    max_radius: Micrometres


class Curve(Table):
    """Crack opening against discharge."""

    specific_charge: Annotated[Values, _in_unit("mAh/g")]
    opening: Annotated[Values, _in_unit("um")]


class Cracks(Table):
    """Cracks across the stack."""

    num_in_region: Pure
    region_width: Micrometres
    min_radius: Micrometres
    max_radius: Micrometres
    closing_ratio: Pure
    opening: Curve


class DischargeCurve(Table):
    """Voltage against charge per gram while discharging at the reference current."""

    specific_charge: Annotated[Values, _in_unit("mAh/g")]
    voltage: Annotated[Values, _in_unit("V")]


class ChargeCurve(Table):
    """Voltage against the returned part of the discharge while charging at the reference current."""

    cut_off_voltage: Volts
    returned_fraction: Annotated[Values, _in_unit("1")]
    voltage: Annotated[Values, _in_unit("V")]


class LaterDischargeCurve(Table):
    """Voltage against the part, of what the electrode had given back, that is taken again at the reference current."""

    taken_fraction: Annotated[Values, _in_unit("1")]
    voltage: Annotated[Values, _in_unit("V")]


class Electrochemistry(Table):
    """Voltage of the cell."""

    theoretical_capacity: MilliampereHoursPerGram
    side_reaction_share: Pure
    reference_specific_current: MilliamperesPerGram
    series_resistance: Ohms
    relaxation_resistance: Ohms
    relaxation_time: Seconds
    discharge: DischargeCurve
    charge: ChargeCurve
    later_discharge: LaterDischargeCurve


class Cycling(Table):
    """What changes from cycle to cycle, in units of the first one."""

    cycle: Annotated[Values, _in_unit("1")]
    capacity_kept: Annotated[Values, _in_unit("1")]
    crack_opening: Annotated[Values, _in_unit("1")]


class Copper(Table):
    """Metallic copper that can be seen."""

    specific_charge: Annotated[Values, _in_unit("mAh/g")]
    segregated_fraction: Annotated[Values, _in_unit("1")]
    residual_segregated_volume: CubicMicrometres


class Pressure(Table):
    """The frame that presses the cell."""

    initial: Megapascals
    relaxation_in_24_h: Megapascals
    relaxation_time: Seconds
    stiffness: MegapascalsPerMicrometre


class Beam(Table):
    """Beam and detector."""

    energy: KiloElectronvolts
    flat_structure: Pure
    blur_fwhm: Micrometres
    counts_per_photon: Pure
    dark_offset: Pure
    read_noise: Pure
    axis_offset: Micrometres


class CellParameters(Table):
    """A whole cell file."""

    layers: Layers
    particles: Particles
    pores: Pores
    cracks: Cracks
    electrochemistry: Electrochemistry
    cycling: Cycling
    copper: Copper
    pressure: Pressure
    beam: Beam

    @model_validator(mode="after")
    def _is_a_cell(self) -> Self:
        if wrong := list(wrong_curves(self)) or list(out_of_range(self)):
            raise ValueError("\n".join(wrong))
        return self


def load_cell(path: Path) -> CellParameters:
    """Read a cell file.

    Raises
    ------
    FileFormatError
        With one sentence per mistake, naming file, key, value and what is allowed.
    """
    return read_toml(path, CellParameters)
