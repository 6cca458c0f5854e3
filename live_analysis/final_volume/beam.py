"""Mean dark and flat frames of a scan, without frames that cannot be what they are called."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.final_volume.raw_scan import FrameStack, RawScan, VolumeError
from live_analysis.normalisation import flat_between, transmission

FARTHEST_FLAT = 0.3  # of their median brightness: rings decay and refill by less within one scan
BRIGHTEST_DARK = 0.1  # of the flats' brightness: more, and a shutter was open
SATURATED = 0.001  # of the pixels


@dataclass(frozen=True)
class Beam:
    """Mean frames in counts, shape (row, column); ``after`` is None where all flats count alike.

    ``first_row`` is the detector row of the first one. ``num_left_out`` counts darks and flats that were blank, not
    finite or of the other kind.
    """

    dark: NDArray[np.float32]
    flat: NDArray[np.float32]
    after: NDArray[np.float32] | None
    num_left_out: int
    saturated: bool
    first_row: int = 0

    def rows(self, first_row: int, stop_row: int) -> "Beam":
        """Return what belongs to some detector rows."""
        rows = slice(first_row - self.first_row, stop_row - self.first_row)
        after = None if self.after is None else self.after[rows]
        return Beam(self.dark[rows], self.flat[rows], after, self.num_left_out, self.saturated, first_row)

    def transmission(
        self, counts: NDArray[np.generic], scan_fractions: NDArray[np.float64] | None
    ) -> NDArray[np.float32]:
        """Divide the beam out of projections, shape (frame, row, column); NaN where the flat is not brighter.

        ``scan_fractions`` say where each projection lies between the flats, 0 to 1.
        """
        values = counts.astype(np.float32)
        if self.after is None or scan_fractions is None:
            return transmission(values, self.flat, self.dark)
        return np.stack(
            [
                transmission(frame, flat_between(self.flat, self.after, float(fraction)), self.dark)
                for frame, fraction in zip(values, scan_fractions, strict=True)
            ]
        )


def measure_beam(scan: RawScan) -> Beam:
    """Average darks and flats, leaving out frames that are blank, not finite or of the other kind.

    Raises
    ------
    VolumeError
        If no dark or no flat is left.
    """
    levels = {name: _levels(stack) for name, stack in (("darks", scan.darks), ("flats", scan.flats))}
    after_levels = None if scan.flats_after is None else _levels(scan.flats_after)
    flat_level = _median(levels["flats"])
    dark_level = float(np.nanmin(levels["darks"])) if np.isfinite(levels["darks"]).any() else float("nan")
    dark_limit = dark_level + BRIGHTEST_DARK * max(flat_level - dark_level, 0)
    dark_good = levels["darks"] <= dark_limit
    flat_good = np.abs(levels["flats"] - flat_level) <= FARTHEST_FLAT * abs(flat_level)
    flat = _mean(scan, "flats", scan.flats, flat_good)
    dark = _mean(scan, "darks", scan.darks, dark_good)
    num_left_out = int(np.count_nonzero(~dark_good) + np.count_nonzero(~flat_good))
    after = None
    if scan.flats_after is not None and after_levels is not None:
        after_good = np.abs(after_levels - flat_level) <= FARTHEST_FLAT * abs(flat_level)
        num_left_out += int(np.count_nonzero(~after_good))
        after = _mean(scan, "flats after the scan", scan.flats_after, after_good)
    if not (flat > dark).any():
        raise VolumeError(
            f"{scan.source}: the flats (mean {flat.mean():.6g} counts) are nowhere brighter than the darks (mean "
            f"{dark.mean():.6g} counts). Are they blank, or mixed up? Without a beam to divide out there is no volume."
        )
    highest = np.iinfo(scan.flats.dtype).max if scan.flats.dtype.kind in "ui" else np.inf
    saturated = bool(np.count_nonzero(flat >= highest - 0.5) > SATURATED * flat.size)
    return Beam(dark, flat, after, num_left_out, saturated)


def _levels(stack: FrameStack) -> NDArray[np.float64]:
    """Return the mean of every frame; NaN where a frame has a value that is not finite."""
    num, num_rows, _ = stack.shape
    return np.array([float(stack.rows(i, i + 1, 0, num_rows).mean(dtype=np.float64)) for i in range(num)])


def _median(levels: NDArray[np.float64]) -> float:
    seen = levels[np.isfinite(levels)]
    return float(np.median(seen)) if seen.size else float("nan")


def _mean(scan: RawScan, name: str, stack: FrameStack, good: NDArray[np.bool_]) -> NDArray[np.float32]:
    if not good.any():
        raise VolumeError(f"{scan.source}: none of the {len(good)} {name} can be used: all are blank or not finite.")
    total = np.zeros(stack.shape[1:])
    for index in np.flatnonzero(good):
        total += stack.rows(int(index), int(index) + 1, 0, stack.shape[1])[0]
    return np.asarray(total / np.count_nonzero(good), np.float32)
