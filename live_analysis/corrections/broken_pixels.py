"""Pixels whose counts mean nothing, told by the darks and flats before a single projection is looked at."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter
from scipy.stats import chi2

from live_analysis.corrections.frame_statistics import FrameStatistics

WINDOW_PIXELS = 7  # side of the neighbourhood a pixel is compared with: three dead columns leave it a majority
DIMMEST, BRIGHTEST = 0.2, 3.0  # times the neighbours' beam; weaker differences divide out
UNLIT = 0.02  # of the median beam: outside the beam, or a dead patch wider than the window
HOT_PART = 0.1  # of the beam in the dark, above the neighbours; a smaller offset subtracts out
NOISES = 12.0  # an outlier of the dark's mean lies so many robust standard deviations off
NOISY_PART = 0.02  # of the beam: a smaller scatter hides behind the photons' own
CHANCE = 1e-9  # that a good pixel's few frames scatter as much as an outlier's
SPREAD_OF_GAINS = 3.0  # times the typical variance a good pixel may have
MAX_SATURATED = 0.5  # of the flats
MAX_BROKEN = 0.05  # of the lit rows' pixels; more have no neighbours to be repaired from


class BrokenPixelsError(ValueError):
    """So many pixels are broken that darks and flats cannot be what they are said to be."""


@dataclass(frozen=True)
class BrokenPixels:
    """Masks of shape (row, column); a pixel may be in more than one.

    ``hot`` pixels read much without light, or flicker; ``dead`` ones see no light, or much more than their
    neighbours; ``saturated`` ones stood at the camera's limit in the flats.
    """

    hot: NDArray[np.bool_]
    dead: NDArray[np.bool_]
    saturated: NDArray[np.bool_]

    @property
    def mask(self) -> NDArray[np.bool_]:
        """All of them."""
        return self.hot | self.dead | self.saturated

    def counts(self, rows: slice = slice(None)) -> dict[str, int]:
        """Return how many of each kind some rows hold."""
        kinds = {"hot": self.hot, "dead": self.dead, "saturated": self.saturated}
        return {name: int(np.count_nonzero(mask[rows])) for name, mask in kinds.items()}


def find_broken_pixels(dark: FrameStatistics, flat: FrameStatistics) -> BrokenPixels:
    """Tell the pixels that must be repaired from their neighbours in every projection.

    Rows that are mostly without beam (the beam is lower than the chip) do not count as broken.

    Raises
    ------
    BrokenPixelsError
        If no row is lit, or more than one in twenty pixels of the lit rows is broken.
    """
    beam = flat.mean - dark.mean
    bright = float(np.nanmedian(beam[beam > 0])) if (beam > 0).any() else 0.0
    if bright <= 0:
        raise BrokenPixelsError(
            f"the flats (median {np.nanmedian(flat.mean):.0f} counts) are nowhere brighter than the darks (median "
            f"{np.nanmedian(dark.mean):.0f} counts). Were they mixed up, or was the shutter closed? Take both anew."
        )
    around = _around(beam)
    unlit = ~(beam > UNLIT * bright)
    dead = unlit | (beam < DIMMEST * around) | (beam > BRIGHTEST * np.maximum(around, UNLIT * bright))
    hot = _bright_in_the_dark(dark.mean, bright) | _flickers(dark, bright) | _flickers(flat, bright, relative_to=beam)
    saturated = flat.saturated > MAX_SATURATED
    lit = ~(unlit.mean(axis=1) > 0.5)
    broken = BrokenPixels(hot & lit[:, None], dead & lit[:, None], saturated & lit[:, None])
    part = float(broken.mask[lit].mean()) if lit.any() else 1.0
    if part > MAX_BROKEN:
        told = ", ".join(f"{num} {name}" for name, num in broken.counts().items())
        raise BrokenPixelsError(
            f"{part:.1%} of the pixels in {np.count_nonzero(lit)} lit rows are broken by their darks and flats "
            f"({told}); {MAX_BROKEN:.0%} can be repaired. Were flats and darks mixed up, or the flats overexposed? "
            "Take both anew."
        )
    return broken


def _around(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median of each pixel's neighbourhood."""
    return np.asarray(median_filter(np.nan_to_num(values), WINDOW_PIXELS, mode="nearest"), np.float32)


def _bright_in_the_dark(mean: NDArray[np.float32], bright: float) -> NDArray[np.bool_]:
    above = mean - _around(mean)
    spread = 1.4826 * float(np.nanmedian(np.abs(above)))
    return np.asarray(~(above <= max(NOISES * spread, HOT_PART * bright)))


def _flickers(
    frames: FrameStatistics, bright: float, *, relative_to: NDArray[np.float32] | None = None
) -> NDArray[np.bool_]:
    """Whether a pixel scatters more from frame to frame than chance and unequal gains let a good one."""
    freedom = frames.num_frames - 1
    if freedom < 3:
        return np.zeros(frames.mean.shape, np.bool_)
    variance = np.asarray(frames.variance, np.float64)
    if relative_to is not None:  # photons scatter the more the more there are
        variance = bright * variance / np.maximum(relative_to, UNLIT * bright)
    limit = SPREAD_OF_GAINS * float(chi2.isf(CHANCE, freedom)) / freedom * float(np.nanmedian(variance))
    return np.asarray(~(variance <= max(limit, (NOISY_PART * bright) ** 2)))
