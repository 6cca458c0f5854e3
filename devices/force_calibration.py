"""Force from a load cell's counts: two points, a tare, and what lies beyond the sensor's range."""

from dataclasses import dataclass, replace
from math import isfinite

from operando.model.beamline import Calibration

COUNT_RANGE = (-32768, 32767)  # int16: at its ends the converter is saturated


class CalibrationError(ValueError):
    """There is no calibration, or its two points are no line."""


@dataclass(frozen=True)
class ForceCalibration:
    """A straight line from counts to newton, with the force that is taken as zero."""

    slope_n: float
    offset_n: float
    full_scale_n: float
    calibration_id: str
    tare_n: float = 0.0

    def force_n(self, counts: float) -> float:
        """Return the force in N, tare taken off; NaN counts give NaN."""
        return self.slope_n * counts + self.offset_n - self.tare_n

    def is_over_range(self, counts: float) -> bool:
        """Whether the sensor is loaded beyond its full scale or the converter is at its end; NaN is neither."""
        saturated = counts <= COUNT_RANGE[0] or counts >= COUNT_RANGE[1]
        return saturated or abs(self.slope_n * counts + self.offset_n) > self.full_scale_n

    def tared(self, counts: float) -> "ForceCalibration":
        """Return this calibration with the force at ``counts`` taken as zero.

        Raises
        ------
        CalibrationError
            If ``counts`` is not a number or over range.
        """
        if not isfinite(counts) or self.is_over_range(counts):
            raise CalibrationError(
                f"load_cell.tare_counts: {counts} counts cannot mean zero force, full scale is "
                f"{self.full_scale_n:g} N. Unload the sensor and read again."
            )
        return replace(self, tare_n=self.slope_n * counts + self.offset_n)


def force_calibration(calibration: Calibration | None, full_scale_n: float) -> ForceCalibration:
    """Return the line through a calibration's two points.

    Raises
    ------
    CalibrationError
        If there is no calibration, or its points have the same counts or the same force.
    """
    if calibration is None:
        raise CalibrationError(
            "The load cell has no calibration and there is no default: counts at nominal load depend on the sensor. "
            "Add load_cell.calibration with id, date, two counts and two forces in N to the beamline file."
        )
    (first, second), (first_n, second_n) = calibration.counts, calibration.force_n
    if first == second or first_n == second_n:
        raise CalibrationError(
            f"Calibration {calibration.id!r}: counts {first:g} and {second:g}, forces {first_n:g} and {second_n:g} N "
            "are not two points of a line. Give two different loads."
        )
    slope_n = (second_n - first_n) / (second - first)
    return ForceCalibration(slope_n, first_n - slope_n * first, full_scale_n, calibration.id)
