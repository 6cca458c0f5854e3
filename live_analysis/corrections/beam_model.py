"""The beam of every projection: what its flat would have been at that moment, as far as flats and projections tell.

Three cases, chosen by the frames themselves: flats whose pattern changes are taken apart into components
(`low_rank_flats`); otherwise flats before and after the scan are interpolated in time; otherwise one mean flat serves.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.corrections.low_rank_flats import (
    FlatComponents,
    find_components,
    relative_flats,
    shares_of_projections,
)
from live_analysis.corrections.overview import overview
from live_analysis.normalisation import flat_between

SEED_OF_SHUFFLES = 1  # the same flats give the same components every time


@dataclass(frozen=True)
class Flats:
    """Flats of one side of the scan: ``mean`` of shape (row, column), ``overviews`` of each; both in counts."""

    mean: NDArray[np.float32]
    overviews: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.overviews)


@dataclass(frozen=True)
class BeamOfRows:
    """Beam of some rows, or blocks of them, in counts, for projections at any time.

    ``first`` and ``last`` (None: it stays) are flats less dark at both sides of the scan. With ``patterns``, shape
    (component, row, column), ``first`` is their mean, and ``brightness`` its change at both sides.
    """

    first: NDArray[np.float32]
    last: NDArray[np.float32] | None
    patterns: NDArray[np.float32] | None
    brightness: tuple[float, float]

    def beam(self, scan_fractions: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return shape (frame, row, column), or (1, row, column) if all projections share one beam.

        Raises
        ------
        FlatFractionError
            If there are flats after the scan and a projection was not exposed between them and those before.
        """
        if self.patterns is not None:
            first, last = (np.array(side, np.float32) for side in self.brightness)
            brightness = np.array([flat_between(first, last, float(part)) for part in scan_fractions], np.float32)
            pattern = np.float32(1) + np.tensordot(shares.astype(np.float32), self.patterns, axes=1)
            return np.asarray(self.first * brightness[:, None, None] * pattern, np.float32)
        if self.last is None:
            return self.first[None]
        return np.stack([flat_between(self.first, self.last, float(fraction)) for fraction in scan_fractions])


ReadFlats = Callable[[slice], NDArray[np.float32]]


class BeamModel:
    """Beam (flat less dark) in counts for any projection.

    Parameters
    ----------
    dark
        Mean dark, shape (row, column), in counts.
    before, after
        Flats of either side of the scan; ``after`` is None without any.
    read_flats
        Gives some rows of all flats, those before first: shape (flat, row, column), in counts. It is asked only
        where flats have components.
    """

    def __init__(self, dark: NDArray[np.float32], before: Flats, after: Flats | None, read_flats: ReadFlats) -> None:
        self._dark, self._before, self._after, self._read_flats = dark, before, after, read_flats
        self._last: tuple[slice, BeamOfRows] | None = None
        sides = [before] if after is None else [before, after]
        numbers = [len(side) for side in sides]
        self._mean = np.average([side.mean for side in sides], axis=0, weights=numbers).astype(np.float32) - dark
        self._dark_overview = overview(dark[None])[0]
        self._mean_overview = overview(self._mean[None])[0]
        beams = np.concatenate([side.overviews for side in sides]) - self._dark_overview
        lit = self._mean_overview > 0
        total = float(self._mean_overview[lit].sum(dtype=np.float64))
        self._brightness = np.array([float(beam[lit].sum(dtype=np.float64)) for beam in beams]) / max(total, 1e-30)
        relative = relative_flats(beams, self._brightness, self._mean_overview)
        self.components: FlatComponents = find_components(relative, np.random.default_rng(SEED_OF_SHUFFLES))
        self._patterns_overview = self.components.patterns(relative)
        first, last = self._means_of_sides(self._brightness)
        self._brightness_of_sides = (float(first), float(last))
        if self.components.num_components:
            self._overview_of_rows = BeamOfRows(
                self._mean_overview, None, self._patterns_overview, self._brightness_of_sides
            )
        else:
            means = [overview((side.mean - dark)[None])[0] for side in sides]
            self._overview_of_rows = BeamOfRows(means[0], None if after is None else means[1], None, (1.0, 1.0))

    @property
    def method(self) -> str:
        """Say in words how the beam of a projection is told."""
        if num := self.components.num_components:
            return f"mean flat and {num} component{'s' if num > 1 else ''}, told by each projection"
        return "mean flat" if self._after is None else "flats before and after, interpolated in time"

    def shares(
        self,
        overviews: NDArray[np.float32],
        scan_fractions: NDArray[np.float64],
        wanted: NDArray[np.intp] | slice = slice(None),
    ) -> NDArray[np.float64]:
        """Tell the components' shares in projections from their overviews; shape (frame, component).

        Parameters
        ----------
        overviews
            From `overview`, in counts, shape (frame, row, column).
        scan_fractions
            Time of each projection, 0 at the flats before and 1 at those after, shape (frame,).
        wanted
            Which of them are asked for; all others are there to be compared with.
        """
        if not self.components.num_components:
            return np.zeros((len(scan_fractions[wanted]), 0))
        before, after = self._means_of_sides(self.components.shares.T)
        expected = before + scan_fractions[:, None] * (after - before)
        through = (overviews - self._dark_overview) / np.where(self._mean_overview > 0, self._mean_overview, np.inf)
        return shares_of_projections(through.astype(np.float32), self._patterns_overview, expected, wanted)

    def transmission_overview(
        self, overviews: NDArray[np.float32], scan_fractions: NDArray[np.float64], shares: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Divide overviews of projections by those of the beam: shape (frame, row, column), NaN where there is none."""
        beam = self._overview_of_rows.beam(scan_fractions, shares)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(beam > 0, (overviews - self._dark_overview) / beam, np.nan), np.float32)

    def of_rows(self, rows: slice) -> "BeamOfRows":
        """Return the beam of some rows; where flats have components, the flats are read once more."""
        dark = self._dark[rows]
        if not self.components.num_components:
            after = None if self._after is None else self._after.mean[rows] - dark
            return BeamOfRows(self._before.mean[rows] - dark, after, None, (1.0, 1.0))
        if self._last is None or self._last[0] != rows:  # projections that arrive ask for the same rows every time
            relative = relative_flats(self._read_flats(rows) - dark, self._brightness, self._mean[rows])
            patterns = self.components.patterns(relative)
            self._last = rows, BeamOfRows(self._mean[rows], None, patterns, self._brightness_of_sides)
        return self._last[1]

    def _means_of_sides(self, of_flats: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Average what belongs to flats over those before and those after the scan; both alike without flats after."""
        before = of_flats[: len(self._before)].mean(axis=0)
        after = of_flats[len(self._before) :].mean(axis=0) if self._after is not None else before
        return before, after
