"""A beam whose stripes move and whose brightness falls, behind a turning object: all truth is known."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.corrections.beam_model import BeamModel, Flats
from live_analysis.corrections.low_rank_flats import find_components, relative_flats
from live_analysis.corrections.overview import overview
from live_analysis.normalisation import FlatFractionError

SHAPE = (48, 128)
PHOTONS = 2e4
NUM_FLATS, NUM_PROJECTIONS = 30, 40
DARK = np.full(SHAPE, 100, np.float32)


def beam(stripes_moved_pixels: float, tilt: float, brightness: float = 1.0) -> NDArray[np.float64]:
    """Stripes of 8 % across the rows, as behind a multilayer, and a slope that comes and goes."""
    rows, columns = np.indices(SHAPE, dtype=np.float64)
    stripes = 0.08 * np.sin(2 * np.pi * (rows + stripes_moved_pixels) / 16)
    slope = tilt * 0.04 * np.cos(2 * np.pi * columns / 128)
    return np.asarray(PHOTONS * brightness * (1 + stripes) * (1 + slope))


def integrals() -> NDArray[np.float64]:
    """A cylinder that fills the view and 12 spheres that move from frame to frame."""
    rows, columns = np.indices(SHAPE)
    rng = np.random.default_rng(3)
    frames = np.repeat(1.0 * np.sqrt(1 - ((columns - 64) / 90) ** 2)[None], NUM_PROJECTIONS, axis=0)
    for row, radius, reach, phase in zip(*rng.uniform((0, 3, 5, 0), (48, 7, 55, 6.3), (12, 4)).T, strict=True):
        for index in range(NUM_PROJECTIONS):
            column = 64 + reach * np.cos(phase + np.pi * index / NUM_PROJECTIONS)
            frames[index] += 0.05 * np.sqrt(np.maximum(radius**2 - (rows - row) ** 2 - (columns - column) ** 2, 0))
    return frames


@dataclass(frozen=True)
class Scan:
    flats: NDArray[np.float32]
    counts: NDArray[np.float32]
    fractions: NDArray[np.float64]
    truth: NDArray[np.float64]

    def model(self, num_before: int | None) -> BeamModel:
        """Take flats as those before (all of them without a number) and after the scan."""
        sides = [self.flats[:num_before], self.flats[num_before:]] if num_before else [self.flats]
        flats = [Flats(side.mean(axis=0), overview(side)) for side in sides]
        return BeamModel(DARK, flats[0], flats[1] if num_before else None, lambda rows: self.flats[:, rows])

    def integrals(self, model: BeamModel) -> NDArray[np.float64]:
        shares = model.shares(overview(self.counts), self.fractions)
        light = model.of_rows(slice(0, SHAPE[0])).beam(self.fractions, shares)
        return np.asarray(-np.log((self.counts - DARK) / light), np.float64)


def scan(*, moving: bool, falling: bool = False) -> Scan:
    rng = np.random.default_rng(5)
    times = np.concatenate([np.linspace(0, 0.02, NUM_FLATS // 2), np.linspace(0.98, 1, NUM_FLATS // 2)])
    moves, tilts = (rng.normal(0, 1.0, NUM_FLATS + NUM_PROJECTIONS) * moving for _ in range(2))
    fractions = np.linspace(0.05, 0.95, NUM_PROJECTIONS)
    truth = integrals()
    lights = [
        beam(move, tilt, 1 - 0.2 * falling * time)
        for move, tilt, time in zip(moves, tilts, np.concatenate([times, fractions]), strict=True)
    ]
    flats = rng.poisson(np.array(lights[:NUM_FLATS])) + 100
    counts = rng.poisson(np.array(lights[NUM_FLATS:]) * np.exp(-truth)) + 100
    return Scan(flats.astype(np.float32), counts.astype(np.float32), fractions, truth)


def left_of_the_beam(found: NDArray[np.float64], taken: Scan) -> tuple[float, float]:
    """Structure of the beam that stays in the integrals, in 12 x 16 blocks: what changes, what stays."""
    wrong = (found - taken.truth).reshape(NUM_PROJECTIONS, 12, SHAPE[0] // 12, 16, SHAPE[1] // 16).mean(axis=(2, 4))
    changing = wrong - wrong.mean(axis=0)
    return float(changing.std(axis=(1, 2)).mean()), float(wrong.mean(axis=0).std())


def test_a_steady_beam_has_no_component() -> None:
    model = scan(moving=False).model(None)
    assert model.components.num_components == 0
    assert model.method == "mean flat"


@pytest.mark.parametrize("falling", [False, True])
def test_stripes_that_move_are_taken_out_of_every_projection(falling: bool) -> None:
    taken = scan(moving=True, falling=falling)
    model = taken.model(NUM_FLATS // 2)
    assert model.components.num_components in (2, 3), "stripes, their curvature, and the slope"
    found = taken.integrals(model)
    mean_flat = -np.log((taken.counts - DARK) / (taken.flats.mean(axis=0) - DARK))
    before, after = left_of_the_beam(mean_flat, taken), left_of_the_beam(found, taken)
    # Photons leave 0.2 % in a block of 32 pixels, the shares 0.1 %, of 3 % before.
    assert before[0] > 0.025
    assert after[0] < 0.003
    # What all projections have in common is taken from the flats, as it is without components.
    assert after[1] < 1.2 * before[1]
    # Brightness is interpolated between both sides: no level is lost. 0.3 % is noise of the shares' slope.
    np.testing.assert_allclose((found - taken.truth).mean(axis=(1, 2)), 0, atol=3e-3)


def test_the_number_of_components_is_that_of_the_beam() -> None:
    rng = np.random.default_rng(0)
    patterns = rng.normal(0, 1, (2, 24, 24))
    for num in (0, 1, 2):
        shares = rng.normal(0, 0.01, (20, num))
        flats = 1000 * (1 + np.tensordot(shares, patterns[:num], axes=1) + rng.normal(0, 0.01, (20, 24, 24)))
        relative = relative_flats(flats.astype(np.float32), np.ones(20), flats.mean(axis=0).astype(np.float32))
        assert find_components(relative, np.random.default_rng(1)).num_components == num


def test_few_flats_have_no_components_and_one_flat_is_enough() -> None:
    taken = scan(moving=True)
    for num in (1, 5):
        flats = Flats(taken.flats[:num].mean(axis=0), overview(taken.flats[:num]))
        model = BeamModel(DARK, flats, None, lambda rows: taken.flats[:, rows])
        assert model.components.num_components == 0
        light = model.of_rows(slice(3, 9)).beam(taken.fractions, model.shares(overview(taken.counts), taken.fractions))
        assert light.shape == (1, 6, SHAPE[1])


def test_pixels_without_light_in_all_flats_do_not_spoil_the_others() -> None:
    taken = scan(moving=True)
    taken.flats[:, 10:20, 30:40] = 100
    taken.counts[:, 10:20, 30:40] = 100
    model = taken.model(NUM_FLATS // 2)
    shares = model.shares(overview(taken.counts), taken.fractions)
    assert model.components.num_components in (2, 3)
    assert np.isfinite(shares).all()


def test_a_projection_outside_its_flats_is_refused_also_with_components() -> None:
    taken = scan(moving=True)
    model = taken.model(NUM_FLATS // 2)
    shares = model.shares(overview(taken.counts), taken.fractions)
    with pytest.raises(FlatFractionError, match=r"1\.015"):
        model.of_rows(slice(0, 4)).beam(taken.fractions + 0.55, shares)
