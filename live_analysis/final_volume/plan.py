"""What a volume is made of: what a person asked, and everything that was decided before the first slab."""

import json
import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from live_analysis.corrections.counts_correction import CorrectionSettings, Lean
from live_analysis.corrections.phase import PhaseFilter
from live_analysis.final_volume.raw_scan import VolumeError
from live_analysis.reconstruction.integral_variance import Counting


@dataclass(frozen=True)
class VolumeSettings:
    """What a person asked for, as far as it changes voxels.

    Attributes
    ----------
    engine
        Name of the reconstruction engine.
    rows
        First row and the one behind the last; None for all.
    region
        First and behind-the-last voxel in x, then in y, of the square that the engine gives; None for all of it.
    axis_column
        Column of the rotation axis; None to find it.
    pixel_size_um
        Pixel size in the sample; None to believe the scan.
    partial
        Whether a scan may be reconstructed that covers less than three quarters of the half turn.
    keep_stripes
        Whether stripes of the sinograms, rings of the slices, are left in.
    num_levels
        Levels of the pyramid; None for as many as make the smallest no wider than 256 voxels.
    noise
        Whether the standard uncertainty of every voxel is written too.
    """

    engine: str = "native"
    rows: tuple[int, int] | None = None
    region: tuple[int, int, int, int] | None = None
    axis_column: float | None = None
    pixel_size_um: float | None = None
    partial: bool = False
    keep_stripes: bool = False
    num_levels: int | None = None
    noise: bool = False


@dataclass(frozen=True)
class Axis:
    """The rotation axis: column and its uncertainty, confidence 0 to 1, and how it was found."""

    column: float
    uncertainty: float
    confidence: float
    method: str


@dataclass(frozen=True)
class Bore:
    """Declared cell, attenuation of its wall, and the bore's fitted centre from the rotation axis."""

    bore_diameter_mm: float
    wall_outer_diameter_mm: float
    wall_material: str
    wall_per_cm: float
    centre_um: tuple[float, float]


@dataclass(frozen=True)
class VolumePlan:
    """Everything that the slabs of one volume have in common; as JSON it lies beside them.

    Attributes
    ----------
    rows
        Detector rows of the volume.
    seen_rows
        Rows through which the beam comes; voxels of others are NaN.
    slab_rows, chunk_rows
        Rows that are reconstructed and written at once, and rows of one chunk of the finest level.
    num_columns
        Of the projections.
    square
        Voxels along x and y of what the engine gives; the rotation axis is in its middle.
    region
        First and behind-the-last voxel in x, then in y.
    extended
        Whether a full turn about an axis off the middle is joined to a wider view.
    taper_columns
        By how much the engine continues projections beyond the view; 0 where they end in air.
    lean
        How the rotation axis leans: frames are set upright. None where they are left as they are.
    phase_length_um
        See `Declared`.
    counting
        The camera's noise; None where the uncertainty of voxels was not asked for.
    """

    settings: VolumeSettings
    fingerprint: str
    rows: tuple[int, int]
    seen_rows: tuple[int, int]
    slab_rows: int
    chunk_rows: int
    num_levels: int
    num_columns: int
    square: int
    region: tuple[int, int, int, int]
    axis: Axis
    pixel_size_um: float
    extended: bool
    taper_columns: int
    lean: Lean | None
    phase_length_um: float | None
    bore: Bore | None
    grey_values_absolute: bool
    coverage: float
    num_repeated_angles: int
    flags: tuple[str, ...] = field(default=())
    counting: Counting | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along z, y and x of the finest level."""
        x0, x1, y0, y1 = self.region
        return self.rows[1] - self.rows[0], y1 - y0, x1 - x0

    @property
    def num_bytes(self) -> int:
        """Bytes of all levels, not compressed."""
        levels = [[-(-num >> level) for num in self.shape] for level in range(self.num_levels)]  # rounded up
        return 4 * sum(math.prod(sides) for sides in levels)

    @property
    def corrections(self) -> CorrectionSettings:
        """What is done to counts beside what every scan needs."""
        length_um = self.phase_length_um
        phase = None if length_um is None else PhaseFilter(length_um, self.pixel_size_um)
        return CorrectionSettings(phase=phase, lean=self.lean)

    @property
    def num_slabs(self) -> int:
        """Slabs, of which the last may be lower."""
        return -(-self.shape[0] // self.slab_rows)

    def slab(self, index: int) -> slice:
        """Return the detector rows of a slab."""
        first = self.rows[0] + index * self.slab_rows
        return slice(first, min(first + self.slab_rows, self.rows[1]))

    def as_json(self) -> dict[str, Any]:
        """Return what JSON can hold; `plan_from_json` makes the same plan of it."""
        return asdict(self)


def plan_from_json(text: dict[str, Any]) -> VolumePlan:
    """Return the plan that was written down.

    Raises
    ------
    VolumeError
        If it is none of ours.
    """
    try:
        values = json.loads(json.dumps(text))
        return VolumePlan(
            **(
                _tuples(values)
                | {
                    "settings": VolumeSettings(**_tuples(values["settings"])),
                    "axis": Axis(**values["axis"]),
                    "lean": None if values["lean"] is None else Lean(**values["lean"]),
                    "counting": None if values.get("counting") is None else Counting(**values["counting"]),
                    "bore": None if values["bore"] is None else Bore(**_tuples(values["bore"])),
                }
            )
        )
    except (KeyError, TypeError, ValueError) as error:
        raise VolumeError(f"the plan of the volume cannot be read ({error}). Begin it anew with --again.") from error


def differences(asked: VolumeSettings, before: VolumeSettings) -> list[str]:
    """Say in which settings a volume was begun differently."""
    return [
        f"{entry.name} is {getattr(asked, entry.name)} and was {getattr(before, entry.name)}"
        for entry in fields(VolumeSettings)
        if getattr(asked, entry.name) != getattr(before, entry.name)
    ]


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
