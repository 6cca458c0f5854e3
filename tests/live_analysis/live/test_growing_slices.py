"""Slices that grow beside a live volume are the slices of that volume."""

import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.live.growing_slices import GrowingSlices
from live_analysis.live.live_volume import Assumptions, LiveVolume
from live_analysis.reconstruction.preview import Slices
from operando.model.geometry import CellGeometry
from tests.live_analysis.phantoms import Detector, cylinder, expose, particles_in_bore

CELL = CellGeometry(bore_diameter_mm=6.0, wall_outer_diameter_mm=16.0, wall_material="PEEK")
PEEK_PER_CM, CONTENT_PER_CM = 0.322, 2.1
COLUMNS, ROWS, PIXEL_UM, NUM, AXIS_COLUMN = 128, 4, 14.0, 180, 65.6
STEP_DEG = 180 / NUM
DETECTOR = Detector(np.linspace(0, 180, NUM, endpoint=False), ROWS, COLUMNS, PIXEL_UM, AXIS_COLUMN)


@pytest.fixture(scope="module")
def integrals() -> NDArray[np.float32]:
    """A filled bore that is wider than the view, with particles, exposed."""
    values = np.repeat(cylinder(DETECTOR, 3000, CONTENT_PER_CM - PEEK_PER_CM), ROWS, axis=1)
    values = values + cylinder(DETECTOR, 8000, PEEK_PER_CM)
    for particle in particles_in_bore(DETECTOR, 3000, 200, 22.5, seed=5):
        particle.add_to(values, DETECTOR)
    return expose(values, 4e4, PIXEL_UM, 2.6, seed=6)


def begun(axis_column: float) -> tuple[LiveVolume, GrowingSlices]:
    shape = ROWS, COLUMNS, PIXEL_UM
    slices = GrowingSlices(*shape, angle_step_deg=STEP_DEG, num_projections=NUM)
    volume = LiveVolume(
        *shape,
        angle_step_deg=STEP_DEG,
        assumptions=Assumptions(axis_column),
        cell=CELL,
        wall_per_cm=PEEK_PER_CM,
        slices=slices,
    )
    return volume, slices


def off(slices: Slices, volume: NDArray[np.float32]) -> float:
    """Root mean square of what the three planes differ by from those of a volume, 1/cm."""
    pairs = (
        (slices.xy.values, volume[slices.row]),
        (slices.xz.values, volume[:, slices.y]),
        (slices.yz.values, volume[:, :, slices.x]),
    )
    plane, in_volume = (np.concatenate([values.ravel() for values in side]) for side in zip(*pairs, strict=True))
    return float(np.sqrt(np.nanmean((plane - in_volume) ** 2)))


def test_slices_grow_with_the_projections_move_and_end_as_those_of_the_volume(
    integrals: NDArray[np.float32],
) -> None:
    volume, slices = begun(AXIS_COLUMN)
    growing: list[Slices] = []
    for begin in range(0, NUM, 20):
        part = slice(begin, begin + 20)
        volume.add(integrals[part], DETECTOR.angles_deg[part])
        if begin == 100:
            slices.move((1, 80, 50))
        if begin == 160:
            volume.check_assumptions()  # as a live tomogram does near its end: the axis is found, all is added again
        growing.append(slices.slices())
    last = growing[-1]
    assert (last.row, last.y, last.x) == (1, 80, 50)
    assert [found.xz.num_projections for found in growing] == list(range(20, NUM + 1, 20))
    values = volume.finish().values_per_cm
    errors = [off(found, values) for found in growing]
    coverages = [found.yz.coverage for found in growing]
    assert coverages == pytest.approx([num / NUM for num in range(20, NUM + 1, 20)])
    assert errors == sorted(errors, reverse=True)
    # What differs in the end are interpolations, and faint rings that the volume alone is rid of.
    assert errors[-1] < 0.005 * float(np.nanmax(values) - np.nanmin(values))
    assert np.array_equal(np.isnan(last.xy.values), np.isnan(values[last.row]))
    assert slices.grey_values_absolute
    assert float(np.nanmedian(last.xy.values)) == pytest.approx(CONTENT_PER_CM, rel=0.03)


def test_a_volume_begun_anew_about_its_own_axis_takes_its_slices_with_it(integrals: NDArray[np.float32]) -> None:
    wrong, slices = begun(AXIS_COLUMN - 3)
    slices.move((2, 60, 75))
    wrong.add(integrals, DETECTOR.angles_deg)
    blurred = slices.slices()
    assert wrong.check_assumptions() is not None
    found = slices.slices()
    values = wrong.finish().values_per_cm
    assert (found.row, found.y, found.x) == (2, 60, 75)
    assert found.xy.num_projections == NUM
    inner = np.s_[20:-20, 20:-20]
    assert float(np.nanstd(found.xy.values[inner] - values[2][inner])) < 0.3 * float(
        np.nanstd(blurred.xy.values[inner] - values[2][inner])
    )
