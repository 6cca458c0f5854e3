"""Which attenuation is drawn black and which white, so that pores, matrix, particles and metal are told apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PERCENTILES = (0.2, 99.8)  # of all voxels shown: streaks and hot voxels do not choose the window
ROUND_STEPS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
MAX_TICKS = 6


class GreyWindowError(ValueError):
    """Levels between which nothing can be drawn."""


@dataclass(frozen=True)
class GreyWindow:
    """Attenuation drawn black and white, in 1/cm; greys follow the square root of what lies between.

    Metal attenuates thirty times as much as an electrolyte: on a straight scale one of the two is all black or white.

    Raises
    ------
    GreyWindowError
        If white is not above black.
    """

    black_per_cm: float
    white_per_cm: float

    def __post_init__(self) -> None:
        """Refuse levels that are no window."""
        if not self.white_per_cm > self.black_per_cm:
            raise GreyWindowError(f"white ({self.white_per_cm} /cm) must lie above black ({self.black_per_cm} /cm).")

    def share(self, values_per_cm: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the brightness of attenuation values, 0 (black) to 1 (white), same shape."""
        share = (values_per_cm - self.black_per_cm) / (self.white_per_cm - self.black_per_cm)
        return np.asarray(np.sqrt(np.clip(share, 0, 1)), np.float32)

    def ticks_per_cm(self) -> list[float]:
        """Return round values inside the window, zero among them if it is inside, at most six."""
        step = _round_up((self.white_per_cm - self.black_per_cm) / MAX_TICKS)
        first, last = np.ceil(self.black_per_cm / step - 1e-9), np.floor(self.white_per_cm / step + 1e-9)
        return [float(number * step) + 0.0 for number in np.arange(first, last + 1)]


def grey_window(values_per_cm: NDArray[np.float32]) -> GreyWindow:
    """Choose a window from what is shown: robust percentiles, zero included, rounded outwards.

    Rounding makes most tomograms of one cell share a window, so that their pictures compare.

    Parameters
    ----------
    values_per_cm
        Any shape, NaN where nothing was seen.
    """
    seen = values_per_cm[np.isfinite(values_per_cm)]
    low, high = np.percentile(seen, PERCENTILES) if seen.size else (0.0, 0.0)
    black, white = -_round_up(-min(float(low), 0.0)), _round_up(max(float(high), 0.0))
    return GreyWindow(black, white if white > black else black + 1.0)


def _round_up(value: float) -> float:
    """Return the next round number, 0 for 0."""
    if value <= 0:
        return 0.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step * power for step in ROUND_STEPS if step * power >= value * (1 - 1e-9)))
