"""Height of the face between two layers that differ by a few per cent in attenuation, as cathode and separator.

A voxel's noise is twenty times the step; the mean of a row is known to a thousandth. What disturbs are the things in
the layer below, particles and cracks: columns in which any comes near the face are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from live_analysis.displacement.collector_rise import CollectorRise
from live_analysis.quantity import Quantity
from live_analysis.region_file import Face
from live_analysis.states.face_columns import ABOVE_UM, MIN_COLUMNS, BlockRows, Caution, block_rows, free_columns
from live_analysis.states.placed_volume import PlacedVolume, StateError

Floats = NDArray[np.float64]

CAUTIONS = Caution(5.0, 1, 9.0), Caution(4.0, 2, 14.0)  # what depends on the choice is part of the uncertainty
SURELY_ABOVE_UM = 15.0  # of the box: in the upper layer
BELOW_PARTICLES_UM = 26.0  # the face is not looked for further below the uppermost particle's top
DIFFERENT_SPREADS, DIFFERENT_PART = 4.0, 0.01  # of the rows above and of their level: a row below the face
NUM_SECTORS = 4  # along y and x, for relief and chance
REACH_UM = 9.0  # beside the start of a fit
FIRST_BLUR_UM, LEAST_BLUR_UM, MOST_BLUR_UM = 1.5, 0.8, 6.0  # of a row's profile, as standard deviation
# The layer has fewer resolved pores within their radius of its face: the step begins a little below it.
STEP_BIAS_VOXELS = 0.25


@dataclass(frozen=True)
class _Step:
    face_um: float
    lower_per_cm: float
    upper_per_cm: float
    blur_um: float


@dataclass(frozen=True)
class _Found:
    step: _Step
    used: float
    noise_um: float
    relief_um: Floats


@dataclass(frozen=True)
class Interface:
    """Height of the face above the bottom of the view and its standard deviation, in um.

    ``chance_um`` is the part of that which another cell of the same kind would not share. ``relief_um`` are heights of
    sectors less their mean, shape (y, x), NaN where too little was free. ``particles_end_um`` is the height of the
    uppermost particle's top, ``used`` the part of the area that is free of particles and cracks.
    """

    height_um: float
    uncertainty_um: float
    chance_um: float
    lower_per_cm: float
    upper_per_cm: float
    used: float
    particles_end_um: float
    relief_um: Floats

    @property
    def face(self) -> Face:
        """What is kept of it, to be compared with later states."""
        return Face(self.height_um, self.chance_um)

    @property
    def flags(self) -> tuple[str, ...]:
        """What is odd about it."""
        above = self.particles_end_um > self.height_um + 2 * self.uncertainty_um
        return ("particles_above_interface",) if above else ()


def find_interface(volume: PlacedVolume) -> Interface:
    """Find the face above the layer that holds particles.

    Parameters
    ----------
    volume
        A wide box that reaches at least 30 um above the face, on an absolute scale.

    Raises
    ------
    StateError
        If the box does not show the face, or particles and cracks leave nothing free.
    """
    rows = block_rows(volume)
    ends_um = rows.particles_end_um
    start_um = _coarse_um(np.nanmedian(rows.blocks, axis=(1, 2)), rows.heights_um, ends_um)
    found = [_found(rows, start_um, caution) for caution in CAUTIONS]
    heights_um = [one.step.face_um for one in found]
    relief_um = np.asarray(np.mean([one.relief_um for one in found], axis=0))
    known_um = relief_um[np.isfinite(relief_um)]
    noise_um = float(np.mean([one.noise_um for one in found]))
    if known_um.size > 2:
        noise_um = max(noise_um, float(known_um.std(ddof=1) / np.sqrt(known_um.size)))
    chance_um = float(np.hypot(noise_um, np.ptp(heights_um) / 2))
    step = found[0].step
    return Interface(
        height_um=float(np.mean(heights_um)),
        uncertainty_um=float(np.hypot(chance_um, STEP_BIAS_VOXELS * volume.voxel_size_um)),
        chance_um=chance_um,
        lower_per_cm=step.lower_per_cm,
        upper_per_cm=step.upper_per_cm,
        used=float(np.mean([one.used for one in found])),
        particles_end_um=ends_um,
        relief_um=relief_um - (known_um.mean() if known_um.size else 0.0),
    )


def interface_quantities(now: Interface) -> Iterator[Quantity]:
    """Give ``interface_height`` above the bottom of the view, in um."""
    relief_um = [[None if np.isnan(value) else round(float(value), 2) for value in row] for row in now.relief_um]
    details: dict[str, Any] = {
        "lower_per_cm": now.lower_per_cm,
        "upper_per_cm": now.upper_per_cm,
        "used_area": now.used,
        "particles_end_um": now.particles_end_um,
        "relief_um": relief_um,
    }
    yield Quantity("interface_height", now.height_um, "um", now.uncertainty_um, now.flags, details)


def interface_shift(now: Interface, pristine: Face, view: CollectorRise) -> Quantity:
    """Return ``interface_shift`` in um, counted from the collector if the view moved between the two states."""
    shift_um = now.height_um - pristine.height_um - view.taken_off_um
    # What the pores at the face do is much the same in both states; cracks are in one only.
    parts_um = np.array([now.uncertainty_um, pristine.chance_um, view.taken_off_uncertainty_um])
    return Quantity("interface_shift", shift_um, "um", float(np.linalg.norm(parts_um)), (*now.flags, *view.flags))


def _coarse_um(row: Floats, heights_um: Floats, ends_um: float) -> float:
    """Return where rows begin to differ from the uppermost ones, not far below the end of the particles."""
    above = row[: max(round(SURELY_ABOVE_UM / float(heights_um[0] - heights_um[1])), 3)]
    level = float(np.median(above))
    noise = 1.4826 * float(np.median(np.abs(above - level)))
    differs = np.abs(row - level) > max(DIFFERENT_SPREADS * noise, DIFFERENT_PART * abs(level))
    differs &= heights_um > ends_um - BELOW_PARTICLES_UM
    if not differs.any():
        return ends_um
    first = int(differs.argmax())
    return float((heights_um[max(first - 1, 0)] + heights_um[first]) / 2)


def _found(rows: BlockRows, start_um: float, caution: Caution) -> _Found:
    """Fit twice: what was left out and fitted about the start is chosen again about what was found."""
    lowest_um, highest_um = rows.heights_um.min(), rows.heights_um.max()
    for _ in range(2):
        if highest_um < start_um + ABOVE_UM / 2 or lowest_um > start_um - caution.below_um:
            raise StateError(
                f"the box reaches from {lowest_um:.0f} to {highest_um:.0f} um, the face is looked for near "
                f"{start_um:.0f} um and must be seen {ABOVE_UM / 2:.0f} um above and {caution.below_um:.0f} um below "
                "it. Change bottom and top of analysis.crack_region."
            )
        free = free_columns(rows, start_um, caution)
        near = (rows.heights_um > start_um - caution.below_um) & (rows.heights_um < start_um + ABOVE_UM)
        blocks, heights_um = rows.blocks[near], rows.heights_um[near]
        profile, chance = _profile(blocks, free)
        step = _fitted(heights_um, profile, chance, start_um)
        start_um = step.face_um
    height_per_cm = max(abs(step.upper_per_cm - step.lower_per_cm), 1e-9)
    noise_um = float(np.sqrt(2) * rows.row_um * chance.mean() / height_per_cm)
    return _Found(step, float(free.mean()), noise_um, _relief_um(blocks, free, heights_um, step))


def _profile(blocks: Floats, free: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Mean of each row over free columns and its standard deviation."""
    values = blocks[:, free]
    return values.mean(axis=1), np.maximum(values.std(axis=1), 1e-6) / np.sqrt(values.shape[1])


def _step(height_um: Floats, face_um: float, lower: float, upper: float, blur_um: float) -> Floats:
    part = 0.5 * (1 + special.erf((height_um - face_um) / (np.sqrt(2) * blur_um)))
    return np.asarray(lower + (upper - lower) * part)


def _fitted(
    heights_um: Floats, profile: Floats, chance: Floats, start_um: float, *, blur_um: float | None = None
) -> _Step:
    """Fit a blurred step, whose blur may be given."""
    guess = [start_um, float(profile[-2:].mean()), float(profile[:3].mean()), blur_um or FIRST_BLUR_UM]
    blurs_um = (LEAST_BLUR_UM, MOST_BLUR_UM) if blur_um is None else (0.99 * blur_um, 1.01 * blur_um)
    lowest = [start_um - REACH_UM, -np.inf, -np.inf, blurs_um[0]]
    highest = [start_um + REACH_UM, np.inf, np.inf, blurs_um[1]]
    found = optimize.curve_fit(_step, heights_um, profile, guess, chance, bounds=(lowest, highest))[0]
    return _Step(*(float(value) for value in found))


def _relief_um(blocks: Floats, free: NDArray[np.bool_], heights_um: Floats, step: _Step) -> Floats:
    """Height of each sector, the blur being that of all; NaN where too little is free or no step is seen."""
    relief = np.full((NUM_SECTORS, NUM_SECTORS), np.nan)
    edges = [np.linspace(0, size, NUM_SECTORS + 1).astype(int) for size in free.shape]
    for j, i in np.ndindex(relief.shape):
        sector = (slice(edges[0][j], edges[0][j + 1]), slice(edges[1][i], edges[1][i + 1]))
        if free[sector].sum() < MIN_COLUMNS // 4:
            continue
        profile, chance = _profile(blocks[:, *sector], free[sector])
        relief[j, i] = _fitted(heights_um, profile, chance, step.face_um, blur_um=step.blur_um).face_um
    return np.where(np.abs(relief - step.face_um) > 0.95 * REACH_UM, np.nan, relief)
