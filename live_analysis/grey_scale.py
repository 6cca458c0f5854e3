"""Put reconstructed grey values on a scale that can be compared between tomograms, by two known references."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIN_DISTANCE_IN_UNCERTAINTIES = 5.0
# Of a material that is known, where bore and wall are declared: if they are right, it comes out right to 0.02.
LARGEST_REFERENCE_ERROR = 0.03


class GreyScaleError(ValueError):
    """The two references do not define a scale."""


@dataclass(frozen=True)
class GreyAnchor:
    """One reference material: what was measured in it and what its attenuation is, both in 1/cm."""

    material: str
    measured_per_cm: float
    measured_uncertainty_per_cm: float
    reference_per_cm: float
    reference_uncertainty_per_cm: float


@dataclass(frozen=True)
class GreyScale:
    """Straight line from measured to absolute attenuation: absolute = gain * measured + offset_per_cm."""

    lower: GreyAnchor
    upper: GreyAnchor

    @property
    def gain(self) -> float:
        """Slope of the scale, unitless; 1 when the reconstruction was right already."""
        return (self.upper.reference_per_cm - self.lower.reference_per_cm) / (
            self.upper.measured_per_cm - self.lower.measured_per_cm
        )

    @property
    def offset_per_cm(self) -> float:
        """Absolute attenuation where zero was measured."""
        return self.lower.reference_per_cm - self.gain * self.lower.measured_per_cm

    def apply(self, measured_per_cm: NDArray[np.float32]) -> NDArray[np.float32]:
        """Convert grey values of any shape to absolute attenuation in 1/cm."""
        return np.asarray(self.gain * measured_per_cm + self.offset_per_cm, np.float32)

    def uncertainty_per_cm(self, absolute_per_cm: float) -> float:
        """Give the standard deviation that both anchors lend to one absolute value; it grows outside the anchors."""
        span = self.upper.reference_per_cm - self.lower.reference_per_cm
        weight = (absolute_per_cm - self.lower.reference_per_cm) / span
        return float(np.hypot(weight * self._at_anchor(self.upper), (1 - weight) * self._at_anchor(self.lower)))

    def _at_anchor(self, anchor: GreyAnchor) -> float:
        return float(np.hypot(self.gain * anchor.measured_uncertainty_per_cm, anchor.reference_uncertainty_per_cm))


def measure_anchor(
    values_per_cm: NDArray[np.float32],
    material: str,
    reference_per_cm: float,
    *,
    reference_uncertainty_per_cm: float = 0.0,
    independent_voxels: int | None = None,
) -> GreyAnchor:
    """Measure a reference material in voxels that belong to it.

    Parameters
    ----------
    values_per_cm
        Reconstructed values inside the material, any shape; NaN is left out. The median is taken, so single
        particles or pores do no harm.
    material, reference_per_cm, reference_uncertainty_per_cm
        What it is, and its attenuation at the photon energy, for example 0 for void.
    independent_voxels
        Number of independent values; by default one per eight voxels, as blur and interpolation share them.

    Raises
    ------
    GreyScaleError
        If no finite voxel is given.
    """
    values = values_per_cm[np.isfinite(values_per_cm)]
    if not values.size:
        raise GreyScaleError(f"no voxel of {material} with a grey value: choose a region inside the view.")
    median = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - median)))
    number = max(1, values.size // 8 if independent_voxels is None else independent_voxels)
    return GreyAnchor(
        material, median, 1.2533 * spread / np.sqrt(number), reference_per_cm, reference_uncertainty_per_cm
    )


def two_point_scale(first: GreyAnchor, second: GreyAnchor) -> GreyScale:
    """Make a scale from two references, in any order.

    Raises
    ------
    GreyScaleError
        If they are too alike, or their measured values come in the wrong order.
    """
    lower, upper = sorted((first, second), key=lambda anchor: anchor.reference_per_cm)
    distance = upper.measured_per_cm - lower.measured_per_cm
    uncertainty = float(np.hypot(lower.measured_uncertainty_per_cm, upper.measured_uncertainty_per_cm))
    if upper.reference_per_cm <= lower.reference_per_cm or distance <= MIN_DISTANCE_IN_UNCERTAINTIES * uncertainty:
        raise GreyScaleError(
            f"{lower.material} ({lower.reference_per_cm:.3f} /cm) measures {lower.measured_per_cm:.3f} /cm and "
            f"{upper.material} ({upper.reference_per_cm:.3f} /cm) measures {upper.measured_per_cm:.3f} /cm, "
            f"+- {uncertainty:.3f}: they must be {MIN_DISTANCE_IN_UNCERTAINTIES:.0f} uncertainties apart and in order. "
            "Choose other regions or materials."
        )
    return GreyScale(lower, upper)
