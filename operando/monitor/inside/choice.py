"""What a person wants to see inside the cell; told by the controls, followed by whoever reads."""

from dataclasses import dataclass
from enum import StrEnum

from operando.model.grey_window import GreyWindow
from operando.model.plane_wish import PlaneWish


class Side(StrEnum):
    """Which pictures are seen."""

    SLICES = "Slices"
    PROJECTIONS = "Projections"


class Comparison(StrEnum):
    """How two states are shown."""

    BESIDE = "side by side"
    DIFFERENCE = "difference"


class Relative(StrEnum):
    """A state that is told by its place before the one that is shown."""

    BEFORE = "the state before"
    FIRST = "the first state"


@dataclass(frozen=True)
class Choice:
    """What to show.

    Parameters
    ----------
    side
        Slices or projections.
    state
        Number of the attempt; None follows the newest.
    compared
        Number of the attempt to compare with, or where it stands; None for none.
    comparison
        How.
    plane
        Name of the plane that is shown alone; empty for all three.
    masks, displacement
        Whether they are laid over the slices.
    levels_per_cm
        Attenuation drawn black and white; None for those of the run.
    largest_difference_per_cm
        End of the scale of differences; None for that of the run.
    planes
        Where a person has put the planes; None where they are by themselves.
    row
        Detector row of the sinogram; None for the middle.
    """

    side: Side = Side.SLICES
    state: int | None = None
    compared: int | Relative | None = None
    comparison: Comparison = Comparison.BESIDE
    plane: str = ""
    masks: bool = False
    displacement: bool = False
    levels_per_cm: tuple[float, float] | None = None
    largest_difference_per_cm: float | None = None
    planes: PlaneWish | None = None
    row: int | None = None


@dataclass(frozen=True)
class RunLevels:
    """Levels and largest difference that a run has by itself, in ``unit``."""

    window: GreyWindow
    largest_difference: float
    unit: str
