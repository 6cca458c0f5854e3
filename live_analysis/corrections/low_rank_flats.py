"""A beam that changes its pattern: flats as a mean and a few components, whose share each projection tells itself.

Vibrating monochromators and drifting optics move stripes across the flat. The components of the flats span what the
beam does; how much of each is in a projection is found by making the projection divided by its flat as smooth as it
can be. Number of components by parallel analysis.

References
----------
Van Nieuwenhove et al., Opt. Express 23 (2015) 27975; Horn, Psychometrika 30 (1965) 179.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

MIN_FLATS = 6  # fewer do not tell a component from noise
MAX_COMPONENTS = 5
NUM_SHUFFLES = 4
# A weaker component has a pattern that is mostly noise; blur makes noise stand up to 3 % above shuffled pixels' too.
TIMES_CHANCE = 2.0
NUM_ROUNDS = 12  # of reweighting; the fit changes by less than 1e-3 of a component's spread after 8
SMALLEST_STEP = 0.3  # of the median step of the picture: below it steps count squared, above it by themselves
REACH_OF_SHARES = 3.0  # standard deviation of a projection's shares: the beam moves on between the flats
SMOOTHING_BLOCKS = 1.5  # standard deviation
LEAST_TRANSMISSION = 0.005


@dataclass(frozen=True)
class FlatComponents:
    """What flats have in common and how they differ, relative to their mean and apart from their brightness.

    ``shares`` has shape (component, flat), root mean square 1 for each component: a component of any rows is
    ``shares @ relative flats / number of flats``, see `patterns`.
    """

    shares: NDArray[np.float64]

    @property
    def num_components(self) -> int:
        """How many components rise above the noise."""
        return len(self.shares)

    def patterns(self, relative: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the components in some rows or blocks.

        Parameters
        ----------
        relative
            The flats of these rows from `relative_flats`, shape (flat, row, column).

        Returns
        -------
        NDArray[np.float32]
            Shape (component, row, column), unitless: change of the flat, relative to its mean, at a share of 1.
        """
        return np.asarray(np.tensordot(self.shares / self.shares.shape[1], relative, axes=1), np.float32)


def relative_flats(
    flats: NDArray[np.float32], brightness: NDArray[np.float64], mean_beam: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return how flats differ from their mean: 0 where they do not, shape (flat, row, column), unitless.

    Parameters
    ----------
    flats
        Flats less dark, shape (flat, row, column), in counts.
    brightness
        Mean of each flat relative to the mean of all, shape (flat,).
    mean_beam
        Mean of all, less dark, shape (row, column), in counts; pixels without light become 0.
    """
    beam = np.where(mean_beam > 0, mean_beam, np.float32(1))
    relative = flats / (brightness[:, None, None].astype(np.float32) * beam) - np.float32(1)
    return np.asarray(np.where(mean_beam > 0, relative, 0), np.float32)


def find_components(relative: NDArray[np.float32], rng: np.random.Generator) -> FlatComponents:
    """Tell the components that rise above noise, strongest first.

    Each candidate is compared with flats whose pixels are shuffled among the frames, one by one and independently,
    after the stronger components were taken out: otherwise a strong one would hide a weak one in its scatter.

    Parameters
    ----------
    relative
        `relative_flats` of an overview, shape (flat, row, column): coarse pixels are enough and less noisy.
    rng
        Shuffles.
    """
    num_flats = len(relative)
    shares: list[NDArray[np.float64]] = []
    if num_flats < MIN_FLATS:
        return FlatComponents(np.zeros((0, num_flats)))
    left = relative.reshape(num_flats, -1).astype(np.float64)
    left -= left.mean(axis=0)
    while len(shares) < min(MAX_COMPONENTS, num_flats // 3):
        values, vectors = np.linalg.eigh(left @ left.T)
        by_chance = np.array([_largest_eigenvalue(rng.permuted(left, axis=0)) for _ in range(NUM_SHUFFLES)])
        if values[-1] <= TIMES_CHANCE * by_chance.max():
            break
        vector = vectors[:, -1]
        shares.append(vector * np.sqrt(num_flats))
        left = left - np.outer(vector, vector @ left)
    return FlatComponents(np.array(shares).reshape(-1, num_flats))


def shares_of_projections(
    transmission: NDArray[np.float32],
    patterns: NDArray[np.float32],
    expected: NDArray[np.float64],
    wanted: NDArray[np.intp] | slice = slice(None),
) -> NDArray[np.float64]:
    """Tell how much of each component is in projections: that which leaves the smoothest difference to their mean.

    Steps between neighbours of -log(transmission) are made small in sum (total variation), by least squares with
    weights that are renewed: edges of the sample are few and large and count by their height only. What all
    projections have in common is taken out first, since a component as broad as the object would pass for it; so the
    mean share of all is not told by them, and is the one expected. The overall brightness does not show in steps
    either; see `beam_intensity`.

    Parameters
    ----------
    transmission
        All projections divided by the mean flat, shape (frame, row, column), as an overview. Not positive: not used.
    patterns
        Components from `FlatComponents.patterns` on the same pixels, shape (component, row, column).
    expected
        Shares that the flats make likely, shape (frame, component); where a projection says little, it keeps them.
    wanted
        Which projections' shares are asked for.

    Returns
    -------
    NDArray[np.float64]
        Shape (wanted frame, component), in the components' spread among the flats.
    """
    usable = transmission > LEAST_TRANSMISSION
    pictures = -np.log(np.where(usable, transmission, 1).astype(np.float64))
    often = usable.mean(axis=0) > 0.5
    common = np.divide(pictures.sum(axis=0), usable.sum(axis=0), out=np.zeros(often.shape), where=often)
    expected_mean = expected.mean(axis=0)
    # Near the expected mean a share too much in the beam takes this much off -log of the projection.
    design = patterns.astype(np.float64) / np.maximum(1 + np.tensordot(expected_mean, patterns, axes=1), 0.1)
    changes = [
        _smoothing_change(picture - common, design, often & seen, likely - expected_mean)
        for picture, seen, likely in zip(pictures[wanted], usable[wanted], expected[wanted], strict=True)
    ]
    return np.asarray(expected_mean + np.array(changes, np.float64).reshape(-1, len(patterns)), np.float64)


def _smoothing_change(
    picture: NDArray[np.float64],
    patterns: NDArray[np.float64],
    usable: NDArray[np.bool_],
    expected: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the shares to be added to the beam's so that the picture becomes smooth."""
    steps = _steps(picture, usable)
    design = np.stack([_steps(pattern, usable) for pattern in patterns], axis=1)
    change = np.array(expected, np.float64)
    for _ in range(NUM_ROUNDS):
        rest = np.abs(steps + design @ change)
        typical = float(np.median(rest)) + 1e-12 if rest.size else 1.0
        weights = 1 / (np.maximum(rest, SMALLEST_STEP * typical) * typical)
        normal = design.T @ (weights[:, None] * design)
        normal += np.eye(len(change)) / REACH_OF_SHARES**2
        change[:] = np.linalg.solve(normal, expected / REACH_OF_SHARES**2 - design.T @ (weights * steps))
    return change


def _steps(picture: NDArray[np.float64], usable: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Differences of neighbours along rows and columns where both are usable.

    Smoothed first: noise in the steps of a pattern, more than in the pattern, would make its shares too small.
    """
    smooth = gaussian_filter(np.where(usable, picture, 0), SMOOTHING_BLOCKS)
    parts = [np.diff(smooth, axis=axis) for axis in (0, 1)]
    both = usable[1:] & usable[:-1], usable[:, 1:] & usable[:, :-1]
    return np.concatenate([part[seen] for part, seen in zip(parts, both, strict=True)])


def _largest_eigenvalue(flats: NDArray[np.float64]) -> float:
    return float(np.linalg.eigvalsh(flats @ flats.T)[-1])
