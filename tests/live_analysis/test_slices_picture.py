import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from live_analysis.slices_picture import OrthogonalSlices, slices_picture
from operando.model.grey_window import GreyWindow

SEEN = np.linspace(0, 60, 100 * 100, dtype=np.float32).reshape(100, 100)
SLICES = OrthogonalSlices(SEEN, SEEN[:30], SEEN[:30], voxel_size_um=3.52)


def draw(
    slices: OrthogonalSlices = SLICES, *, rehearsal: bool = False, absolute: bool = True, coverage: float = 1.0
) -> NDArray[np.uint8]:
    png = slices_picture(
        slices,
        tomogram="0003_D1.2V",
        voltage_v=1.2,
        window=GreyWindow(0.0, 60.0),
        mark="REHEARSAL (simulated cell)" if rehearsal else "",
        grey_values_absolute=absolute,
        coverage=coverage,
    )
    return np.asarray(Image.open(io.BytesIO(png)))


def test_nothing_touches_the_rim_of_the_picture() -> None:
    picture = draw(rehearsal=True, absolute=False, coverage=0.5)
    rim = np.concatenate([picture[:8].reshape(-1, 3), picture[-8:].reshape(-1, 3), picture[:, -8:].reshape(-1, 3)])
    assert (rim == 255).all()


def test_a_rehearsal_is_marked_in_red_and_a_measurement_is_not() -> None:
    def red(picture: NDArray[np.uint8]) -> int:
        colours = picture.astype(int)
        return int(np.count_nonzero(colours[..., 0] - colours[..., 1] > 100))

    assert red(draw(rehearsal=True)) > 200
    assert red(draw(rehearsal=False)) == 0
    assert red(draw(rehearsal=False, absolute=False)) > 200
    assert red(draw(coverage=0.8)) > 200  # so is a missing wedge
    assert red(draw(coverage=0.8, absolute=False)) > red(draw(coverage=0.8))


def test_equal_attenuation_has_equal_grey_whatever_else_is_in_the_slice() -> None:
    level = np.full((100, 100), 15.0, np.float32)
    brighter = level.copy()
    brighter[50:] = 500.0
    first = draw(OrthogonalSlices(level, SEEN[:30], SEEN[:30], 3.52))
    second = draw(OrthogonalSlices(brighter, SEEN[:30], SEEN[:30], 3.52))
    np.testing.assert_array_equal(first[120, 100], [128, 128, 128])
    np.testing.assert_array_equal(second[120, 100], [128, 128, 128])


def test_points_outside_the_view_are_coloured_not_black() -> None:
    hidden = np.full((100, 100), np.nan, np.float32)
    colour = draw(OrthogonalSlices(hidden, SEEN[:30], SEEN[:30], 3.52))[120, 100].astype(int)
    assert colour[2] > colour[0] > 200


def test_slices_of_voxels_of_unknown_size_are_per_voxel_and_their_picture_says_so() -> None:
    unknown = SLICES.per_voxel(1.0)
    assert (unknown.unit, unknown.voxel_size_um, SLICES.unit) == ("1/voxel", None, "1/cm")
    assert np.allclose(unknown.xy, SLICES.xy * 1e-4, equal_nan=True)
    same_greys = OrthogonalSlices(unknown.xy, unknown.xz, unknown.yz, 1.0)
    assert (draw(unknown) != draw(same_greys)).any()  # units of scale bar and grey bar differ
