"""Where a curve bends: straight lines that meet."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

NUM_BINS = 400  # samples are averaged in so many parts of the range, so that pauses with many samples weigh no more
MIN_BINS = 40
SHORTEST_LINE = 0.05  # of the range: a line over less tells no slope
NUM_PLACES = 91  # looked at for another break
MAX_BREAKS = 4
SIGNIFICANT = 5.0  # standard deviations by which the slopes on both sides of a break must differ
LESS = 0.7  # of the squares must not be left by another break, or the curve bends slowly and has none


@dataclass(frozen=True)
class SlopeBreak:
    """Where two lines meet, and their slopes, each with one standard deviation; slopes in units of y per unit of x."""

    place: float
    place_uncertainty: float
    slope_before: float
    slope_after: float
    bend_uncertainty: float

    @property
    def bend(self) -> float:
        """Change of the slope."""
        return self.slope_after - self.slope_before


def find_slope_breaks(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[SlopeBreak]:
    """Describe a curve by as few straight lines as it needs, by least squares; return where they meet, in order of x.

    Breaks are added one at a time where they leave the least squares, and all are moved again each time; two at once
    where one alone helps little, as on a curve that rises between two lines of the same slope. Deviations of
    neighbours are alike where the true curve bends slowly: the uncertainties count as many independent samples as
    their correlation leaves.

    Parameters
    ----------
    x, y
        Samples in any order, shape (sample,).

    Returns
    -------
    list[SlopeBreak]
        Empty if there are too few samples, or one line does as well.
    """
    x, y = _binned(np.asarray(x, np.float64), np.asarray(y, np.float64))
    if len(x) < MIN_BINS:
        return []
    found: list[SlopeBreak] = []
    while (more := _with_more(x, y, found, 1) or _with_more(x, y, found, 2)) is not None:
        found = more
    return found


def _with_more(
    x: NDArray[np.float64], y: NDArray[np.float64], found: list[SlopeBreak], num_more: int
) -> list[SlopeBreak] | None:
    """Return the breaks with one or two more, looked for on a coarser grid if two; None if that is not better."""
    if len(found) + num_more > MAX_BREAKS:
        return None
    width, before = float(x[-1] - x[0]), [entry.place for entry in found]
    apart = SHORTEST_LINE * width
    grid = np.linspace(x[0] + apart, x[-1] - apart, NUM_PLACES)[:: num_more**2]
    free = [place for place in grid if all(abs(place - other) >= apart for other in before)]
    tried = [more for more in combinations(free, num_more) if all(b - a >= apart for a, b in pairwise(more))]
    if not tried:
        return None
    best = min(tried, key=lambda more: _squares(x, y, [*before, *more]))
    places = _moved(x, y, [*before, *best], width / NUM_PLACES)
    breaks = _breaks(x, y, places)
    is_less = _squares(x, y, places) <= LESS**num_more * _squares(x, y, before)
    is_certain = all(abs(entry.bend) > SIGNIFICANT * entry.bend_uncertainty for entry in breaks)
    return breaks if is_less and is_certain else None


def _moved(x: NDArray[np.float64], y: NDArray[np.float64], places: list[float], step: float) -> list[float]:
    """Move each place in turn until none of them leaves less squares elsewhere, to a hundredth of the first step."""
    places = sorted(places)
    edge = SHORTEST_LINE * float(x[-1] - x[0])
    for size in (step, step / 4, step / 16, step / 100):
        for _ in range(8):
            before = list(places)
            for index, place in enumerate(places):
                low = places[index - 1] if index else float(x[0])
                high = places[index + 1] if index + 1 < len(places) else float(x[-1])
                tried = np.clip(place + size * np.arange(-4, 5), min(low + edge, place), max(high - edge, place))
                places[index] = float(
                    min(tried, key=lambda entry: _squares(x, y, [*places[:index], entry, *places[index + 1 :]]))
                )
            if places == before:
                break
    return places


def _basis(x: NDArray[np.float64], places: Sequence[float]) -> NDArray[np.float64]:
    return np.stack([np.ones_like(x), x - x[0], *(np.maximum(x - place, 0.0) for place in places)], axis=1)


def _squares(x: NDArray[np.float64], y: NDArray[np.float64], places: Sequence[float]) -> float:
    basis = _basis(x, places)
    deviations = y - basis @ np.linalg.lstsq(basis, y, rcond=None)[0]
    return float(deviations @ deviations)


def _breaks(x: NDArray[np.float64], y: NDArray[np.float64], places: list[float]) -> list[SlopeBreak]:
    basis = _basis(x, places)
    coefficients = np.linalg.lstsq(basis, y, rcond=None)[0]
    deviations = y - basis @ coefficients
    bends = coefficients[2:]
    # The places are estimated together with the lines: derivative of a line that begins at a place, by that place.
    by_place = np.stack([np.where(x > place, -bend, 0.0) for place, bend in zip(places, bends, strict=True)], axis=1)
    jacobian = np.concatenate([basis, by_place], axis=1)
    num = len(places)
    spare = max(len(x) - jacobian.shape[1], 1)
    covariance = np.linalg.pinv(jacobian.T @ jacobian) * float(deviations @ deviations) / spare * _repeated(deviations)
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    slopes = coefficients[1] + np.concatenate([[0.0], np.cumsum(bends)])
    resolution = float(x[-1] - x[0]) / NUM_BINS / 2
    return [
        SlopeBreak(
            place=place,
            place_uncertainty=float(np.hypot(errors[2 + num + k], resolution)),
            slope_before=float(slopes[k]),
            slope_after=float(slopes[k + 1]),
            bend_uncertainty=float(errors[2 + k]),
        )
        for k, place in enumerate(places)
    ]


def _repeated(deviations: NDArray[np.float64]) -> float:
    """Return how many neighbours say the same: samples of a first-order autoregression per independent one."""
    square = float(deviations @ deviations)
    alike = float(deviations[1:] @ deviations[:-1]) / square if square > 0 else 0.0
    alike = min(max(alike, 0.0), 0.98)
    return (1 + alike) / (1 - alike)


def _binned(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return means over equal parts of the range of x, in order; parts without samples are left out."""
    if len(x) == 0 or np.ptp(x) == 0:
        return np.empty(0), np.empty(0)
    part = np.minimum(((x - x.min()) / np.ptp(x) * NUM_BINS).astype(int), NUM_BINS - 1)
    num = np.bincount(part, minlength=NUM_BINS)
    held = num > 0
    return np.bincount(part, x, NUM_BINS)[held] / num[held], np.bincount(part, y, NUM_BINS)[held] / num[held]
