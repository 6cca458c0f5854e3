"""What a scan was worth: its axis, the part of the half turn it covers, what was repaired, and the flags of it."""

from collections.abc import Iterator
from typing import Any

from live_analysis.corrections.stripes import StripesFound
from live_analysis.quantity import Quantity
from live_analysis.rotation_axis import LOW_CONFIDENCE
from live_analysis.tomogram_context import TomogramContext
from live_analysis.tomogram_frames import TomogramFrames
from live_analysis.tomogram_volume import TomogramVolume
from operando.model.frames import FrameKind

MAX_RIM_GAP = 10.0  # pixels between neighbouring projections at the rim: more, and streaks pass for what is measured

NOT_ABSOLUTE = "grey_values_not_absolute"


def scan_flags(context: TomogramContext, frames: TomogramFrames, volume: TomogramVolume) -> tuple[str, ...]:
    """Return the flags that all numbers of a tomogram carry."""
    flags = []
    expected = context.tomogram.start.get("num_projections")
    if expected is not None and frames.num_received[FrameKind.PROJECTION] != expected:
        flags.append("partial")
    if volume.rim_gap > MAX_RIM_GAP:
        flags.append("undersampled")
    if volume.axis.confidence < LOW_CONFIDENCE:
        flags.append("rotation_axis_uncertain")
    if not volume.grey_values_absolute or not context.pixel_size_known:
        flags.append(NOT_ABSOLUTE)
    if frames.num_without_beam and "partial" not in flags:
        flags.append("partial")
    if frames.num_of_unsteady_beam:
        flags.append("beam_unsteady")
    if frames.settings.phase is not None:
        flags.append("phase_retrieved")
    if frames.settings.lean is not None:
        flags.append("axis_straightened")
    return tuple(flags)


def scan_quantities(
    context: TomogramContext, frames: TomogramFrames, volume: TomogramVolume, flags: tuple[str, ...]
) -> Iterator[Quantity]:
    """Return what tells the worth of the scan."""
    axis = volume.axis
    details: dict[str, Any] = {"confidence": axis.confidence, "method": axis.method}
    if (tilt := volume.tilt) is not None:
        details |= {"tilt_deg": tilt.tilt_deg, "tilt_uncertainty_deg": tilt.uncertainty_deg}
    yield Quantity("rotation_axis", axis.column, "column", axis.uncertainty, flags, details)
    yield Quantity("angular_coverage", volume.coverage, "1", 0.0, flags)
    yield _repaired(context, frames, volume, flags)


def _repaired(
    context: TomogramContext, frames: TomogramFrames, volume: TomogramVolume, flags: tuple[str, ...]
) -> Quantity:
    """Part of all values that had to be made from their neighbours; the details say what was done to the counts."""
    details: dict[str, Any] = {**frames.corrections()}
    details |= {"num_repaired": volume.num_dead, "num_zingers": volume.num_zingers}
    details |= _stripes(volume.stripes)
    if (settings := None if context.analysis is None else context.analysis.phase_retrieval) is not None:
        ratio = settings.ratio(context.said("energy_kev"))
        details["phase_retrieval"] = (
            f"delta / beta {ratio:.4g}, {settings.distance:.4g} mm: grey values hold for a material of this ratio"
        )
    part = (volume.num_dead + volume.num_zingers) / volume.num_values
    return Quantity("repaired_pixels", part, "1", 0.0, flags, details)


def _stripes(found: StripesFound) -> dict[str, float]:
    """Return how many pixels of the detector were off, and by how much at most, in attenuation integrals."""
    return {
        "num_dead_detector_pixels": found.num_dead,
        "num_detector_pixels_in_wide_stripes": found.num_wide,
        "num_detector_pixels_off": found.num_narrow,
        "num_detector_pixels_off_for_a_while": found.num_partial,
        "largest_offset_of_a_detector_pixel": found.largest_offset,
    }
