"""The experiment file in typed form: what is asked of the cell, the beam, the camera and the analysis."""

from typing import Literal

from pydantic import Field, model_validator

from operando.model.geometry import CellGeometry, ImagingGeometry, Region
from operando.model.limits_table import Limits
from operando.model.phase_retrieval import PhaseRetrieval
from operando.model.schedule import CellStep, ConstantCurrent, Step, unrolled
from operando.model.texts import Line, Name
from operando.model.toml_file import Table
from operando.model.units import (
    Degrees,
    KiloElectronvolts,
    Megapascals,
    Micrometres,
    MilliampereHoursPerGram,
    Milligrams,
    Millimetres,
    PerCentimetre,
    Seconds,
    Volts,
    parse_quantity,
)


class About(Table):
    """Name and origin of the experiment."""

    name: Name
    title: Line
    reference: Line = ""
    operator: Line = ""


class Cell(Table):
    """The cell as it was built."""

    bore_diameter: Millimetres = Field(gt=0)
    wall_outer_diameter: Millimetres = Field(gt=0)
    wall_material: str
    active_material: str
    active_mass: Milligrams = Field(gt=0)
    theoretical_capacity: MilliampereHoursPerGram = Field(gt=0)
    stack_pressure: Megapascals = Field(ge=0)
    lower_voltage: Volts
    upper_voltage: Volts
    lithium_diameter: Millimetres | None = Field(default=None, gt=0)

    @property
    def geometry(self) -> CellGeometry:
        """Bore and wall."""
        return CellGeometry(self.bore_diameter, self.wall_outer_diameter, self.wall_material)


class Sampling(Table):
    """How often the guard reads its instruments, while a tomogram is taken and otherwise."""

    in_tomogram: Seconds = Field(default=1.0, gt=0)
    between_tomograms: Seconds = Field(default=1.0, gt=0)


class Geometry(Table):
    """Pixels, projections and exposure of one way to take a tomogram."""

    num_columns: int = Field(strict=True, gt=0)
    num_rows: int = Field(strict=True, gt=0)
    binning: int = Field(strict=True, default=1, ge=1)
    pixel_size: Micrometres = Field(gt=0)
    pixel_size_known: bool = Field(default=True, strict=True)  # False: a replay whose recording does not say it
    field_of_view: tuple[Millimetres, Millimetres]
    num_projections: int = Field(strict=True, ge=2)
    photons_per_pixel: float = Field(strict=True, ge=1)

    @property
    def imaging(self) -> ImagingGeometry:
        """Pixels as they lie in the sample."""
        return ImagingGeometry(self.num_columns, self.num_rows, self.pixel_size)

    @model_validator(mode="after")
    def _consistent(self) -> "Geometry":
        for side, num, declared_mm in zip(
            ("columns", "rows"), (self.num_columns, self.num_rows), self.field_of_view, strict=True
        ):
            seen_mm = num * self.pixel_size / 1e3
            if not declared_mm > 0:
                raise ValueError(f"field_of_view of {declared_mm:g} mm must be greater than 0 mm")
            gap = abs(seen_mm - declared_mm) / declared_mm
            if gap > 0.01:
                raise ValueError(
                    f"pixel_size {self.pixel_size:g} um x {num} {side} = {seen_mm:.3f} mm, but the declared "
                    f"field_of_view is {declared_mm:.3f} mm ({gap:.1%} apart, limit 1 %): correct pixel_size, "
                    f"num_{side} or field_of_view"
                )
        return self


class Tomogram(Table):
    """How a tomogram is taken, whatever its geometry."""

    exposure: Seconds = Field(gt=0)
    frame_period: Seconds = Field(gt=0)
    angle_range: Degrees = Field(default=180.0, gt=0, le=360)
    num_darks: int = Field(strict=True, ge=1)
    num_flats: int = Field(strict=True, ge=1)
    num_flats_after: int = Field(default=0, strict=True, ge=0)  # once more behind the projections: a beam may drift
    sample_out: Millimetres
    sample_in: Millimetres = 0.0  # where the rotation axis is in the middle of the view

    @model_validator(mode="after")
    def _exposure_fits(self) -> "Tomogram":
        if self.exposure > self.frame_period:
            raise ValueError(
                f"exposure {self.exposure:g} s is longer than frame_period {self.frame_period:g} s: "
                "shorten the exposure or lengthen the period"
            )
        return self


class AnalysisRegion(Table):
    """The box whose volume is measured: centred on the rotation axis, heights above the bottom of the view."""

    width_x: Micrometres = Field(gt=0)
    width_y: Micrometres = Field(gt=0)
    bottom: Micrometres
    top: Micrometres

    @property
    def region(self) -> Region:
        """The box in micrometres."""
        return Region(self.width_x, self.width_y, self.bottom, self.top)


class GreyReference(Table):
    """A place of known attenuation to which the grey scale is anchored: a slab of heights in the middle of the bore."""

    name: str
    attenuation: PerCentimetre = Field(gt=0)
    bottom: Micrometres
    top: Micrometres
    radius: Micrometres = Field(gt=0)


class Analysis(Table):
    """What is measured in a tomogram."""

    region: AnalysisRegion
    grey_reference: GreyReference
    high_attenuation_material: str
    resolution: Micrometres = Field(gt=0)
    crack_region: AnalysisRegion | None = None  # where cracks are measured; without it they are not
    displacement_region: AnalysisRegion | None = None  # filled with cuboids; the analysis region, if it is not given
    phase_retrieval: PhaseRetrieval | None = None


class Beam(Table):
    """The X-ray beam."""

    energy: KiloElectronvolts = Field(ge=5, le=500)  # beyond it no cell is transparent, or no attenuation tabulated
    energy_known: bool = Field(default=True, strict=True)  # False: a replay whose recording does not say it


class Rehearsal(Table):
    """What stands in for the real cell in a rehearsal, and how often it is sampled in fast-forward."""

    cell: str = Field(min_length=1, max_length=255)
    fast_forward_sampling: Seconds = Field(default=30.0, gt=0)
    seed: int = Field(strict=True, ge=0, lt=2**63)


class Published(Table):
    """A number from the publication, shown beside the measured one.

    ``elsewhere`` names the experiment whose run measures it, where this one cannot.
    """

    id: Line
    tomogram: Name
    name: Name
    value: float = Field(strict=True)
    unit: Line
    relation: Literal["about", "at most", "at least"] = "about"
    elsewhere: Name | None = None


class Experiment(Table):
    """A whole experiment file."""

    experiment: About
    cell: Cell
    limits: Limits
    sampling: Sampling
    beam: Beam
    tomogram: Tomogram
    geometry: dict[Name, Geometry] = Field(min_length=1)
    analysis: Analysis | None = None
    schedule: tuple[Step, ...] = Field(min_length=1)
    rehearsal: Rehearsal | None = None
    published: tuple[Published, ...] = ()

    @property
    def steps(self) -> list[tuple[int, CellStep]]:
        """The cell's steps in the order they happen, each with its cycle number."""
        return unrolled(self.schedule)

    def sampling_period_s(self, step: CellStep | None = None, *, rehearsal: bool) -> float:
        """Return how often the guard samples between the tomograms of a step; a rehearsal samples more rarely."""
        if rehearsal and self.rehearsal is not None:
            asked_s = None if step is None else step.rehearsal_sampling
            return self.rehearsal.fast_forward_sampling if asked_s is None else asked_s
        return self.sampling.between_tomograms

    def current_a(self, step: ConstantCurrent) -> float:
        """Return the current of a step in A; per-gram currents use the active mass."""
        return current_a(step.current, self.cell.active_mass)


def current_a(text: str, active_mass_mg: float) -> float:
    """Return a current in A, written absolute (``"10 uA"``) or per gram of active mass (``"10 mA/g"``)."""
    try:
        return parse_quantity(text, "mA/g") * active_mass_mg * 1e-6
    except ValueError:
        return parse_quantity(text, "A")
