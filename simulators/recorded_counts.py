"""Turning recorded values into a camera's 16-bit counts: exactly where they are counts, else with one stated factor."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.recorded_data import RecordedScan, RecordedScanError, RecordedStack

MAX_COUNT = 65535


@dataclass(frozen=True)
class CountScale:
    """counts = round(value x factor + offset), the same for darks, flats and projections.

    Being common to the three it cancels in (projection - dark) / (flat - dark).
    """

    factor: float
    offset: float
    note: str

    def counts(self, values: NDArray[Any]) -> NDArray[np.uint16]:
        """Return a frame in counts, same shape.

        Raises
        ------
        RecordedScanError
            If a value would leave 0 to 65535.
        """
        if values.dtype == np.uint16 and self.factor == 1.0 and self.offset == 0.0:
            return np.ascontiguousarray(values)
        scaled = np.rint(values.astype(np.float64) * self.factor + self.offset)
        if not (scaled.min() >= 0 and scaled.max() <= MAX_COUNT):
            raise RecordedScanError(
                f"a recorded frame now holds values from {values.min()} to {values.max()}, outside those seen when the "
                f"scan was opened; with factor {self.factor:g} they do not fit 0 to {MAX_COUNT}. Start it again."
            )
        return scaled.astype(np.uint16)


def count_scale(scan: RecordedScan) -> CountScale:
    """Read every frame once, one at a time, and return how its values become counts.

    Values that fit 16 bits keep their number if any of the three stacks holds integers, or if all values are whole.
    Others are scaled to fill the range.

    Raises
    ------
    RecordedScanError
        If a frame cannot be read, is not finite, or if a flat or projection is blank.
    """
    stacks = {"dark": scan.darks, "flat": scan.flats, "projection": scan.projections}
    ranges = [_range(scan, kind, stack) for kind, stack in stacks.items()]
    low, high = min(low for low, _, _ in ranges), max(high for _, high, _ in ranges)
    all_whole = all(whole for _, _, whole in ranges)
    are_counts = all_whole or any(stack.dtype.kind in "ui" for stack in stacks.values())
    if are_counts and low >= 0 and high <= MAX_COUNT:
        note = "Recorded counts are served as they are."
        if not all_whole:
            note = "Recorded counts are served as they are; fractions in averaged frames are rounded to whole counts."
        return CountScale(1.0, 0.0, note)
    base = min(low, 0.0)
    factor = MAX_COUNT / (high - base)
    return CountScale(
        factor,
        -base * factor,
        f"Recorded values from {low:g} to {high:g} are served as counts = value x {factor:.6g} + {-base * factor:.6g}; "
        f"one count is {1 / factor:.3g} of a recorded unit.",
    )


def _range(scan: RecordedScan, kind: str, stack: RecordedStack) -> tuple[float, float, bool]:
    low, high, whole = np.inf, -np.inf, True
    for index in range(stack.shape[0]):
        frame = stack.read(index)
        frame_low, frame_high = float(frame.min()), float(frame.max())
        if not (np.isfinite(frame_low) and np.isfinite(frame_high)):
            raise RecordedScanError(
                f"{scan.source}: {kind} {index} holds values that are not finite. Repair or leave out that frame."
            )
        if kind != "dark" and frame_low == frame_high:
            raise RecordedScanError(
                f"{scan.source}: {kind} {index} is blank (every pixel is {frame_low:g}). Leave out that frame and its "
                "angle, or copy it again from where it was recorded."
            )
        low, high = min(low, frame_low), max(high, frame_high)
        whole = whole and (stack.dtype.kind in "ui" or bool(np.all(frame == np.rint(frame))))
    return low, high, whole
