"""What a test shot tells before an experiment: counts, saturation, transmission and noise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.normalisation import mean_frame, transmission

MAX_COUNTS = 65535  # of a 16-bit frame
PERCENTILES = (1.0, 99.0)  # a few broken pixels say nothing of the exposure


@dataclass(frozen=True)
class ShotQuality:
    """Numbers of frames of one place; ``low`` and ``high`` hold 98 % of the counts between them.

    ``saturated`` is the part of all pixels at the camera's limit. ``transmission`` is the median through the sample,
    ``noise`` the standard deviation of one frame relative to its counts above the dark; both unitless, NaN if unknown.
    """

    num_frames: int
    mean_counts: float
    low_counts: float
    high_counts: float
    saturated: float
    transmission: float
    noise: float


def shot_quality(
    frames: NDArray[np.uint16],
    flat: NDArray[np.float32] | None = None,
    dark: NDArray[np.float32] | None = None,
    *,
    max_counts: int = MAX_COUNTS,
) -> ShotQuality:
    """Judge frames of shape (frame, row, column), in counts.

    Parameters
    ----------
    flat, dark
        Mean frames without sample and without beam, shape (row, column), in counts; None where there is none, as for
        darks themselves.
    max_counts
        Where the camera saturates.
    """
    low, high = np.percentile(frames, PERCENTILES)
    through, noise = float("nan"), float("nan")
    mean = mean_frame(frames)
    if dark is not None:
        if flat is not None:
            through = float(np.nanmedian(transmission(mean, flat, dark)))  # type: ignore[arg-type]
        signal = mean - dark
        if len(frames) > 1:
            spread = frames.std(axis=0, ddof=1, dtype=np.float64)
            noise = float(np.median(spread[signal > 0] / signal[signal > 0])) if (signal > 0).any() else noise
    return ShotQuality(
        len(frames),
        float(mean.mean()),
        float(low),
        float(high),
        float((frames >= max_counts).mean()),
        through,
        noise,
    )
