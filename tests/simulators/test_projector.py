"""The shadows of simple shapes are what geometry says."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operando.model.geometry import ImagingGeometry
from simulators.projector import Projector
from simulators.scene import Cylinders, Scene, Spheroids, no_spheroids, spheres

GEOMETRY = ImagingGeometry(num_columns=64, num_rows=48, pixel_size_um=3.52)
AXIS_COLUMN = 30.7


def nothing() -> Cylinders:
    return Cylinders(np.empty((0, 2)), np.empty(0), np.empty(0), np.empty(0), np.empty(0))


def only(spheroids: Spheroids) -> Scene:
    return Scene(nothing(), spheroids, no_spheroids(), no_spheroids(), no_spheroids())


def shadow(scene: Scene, angle_deg: float, sample_x_mm: float = 0.0) -> np.ndarray:
    return Projector(GEOMETRY, axis_column=AXIS_COLUMN).line_integrals(scene, angle_deg, sample_x_mm)


def tilted(tilt_deg: float, azimuth_deg: float, equatorial_um: float, polar_um: float) -> Spheroids:
    tilt, azimuth = math.radians(tilt_deg), math.radians(azimuth_deg)
    axis = [math.sin(tilt) * math.cos(azimuth), math.sin(tilt) * math.sin(azimuth), math.cos(tilt)]
    return Spheroids(
        np.array([[12.0, -20.0, 80.0]]),
        np.array([equatorial_um]),
        np.array([polar_um]),
        np.array([axis]),
        np.array([20.0]),
    )


def test_the_chord_of_a_sphere_is_that_of_geometry() -> None:
    radius_um, attenuation_per_cm = 60.0, 10.0
    z_um = 84.0 + 0.37
    image = shadow(only(spheres(np.array([[0.0, 0.0, z_um]]), np.array([radius_um]), attenuation_per_cm)), 33.0)
    rows, columns = np.indices(image.shape)
    u_um = (columns - AXIS_COLUMN) * GEOMETRY.pixel_size_um
    height_um = (GEOMETRY.num_rows - rows - 0.5) * GEOMETRY.pixel_size_um - z_um
    inside = radius_um**2 - u_um**2 - height_um**2
    chord_um = 2 * np.sqrt(np.maximum(inside, 0))
    core = inside > (0.8 * radius_um) ** 2
    # 0.1 um of 96 to 120: the curvature of a chord within one pixel
    assert np.abs(image[core] / (attenuation_per_cm * 1e-4) - chord_um[core]).max() < 0.1


@pytest.mark.parametrize("angle_deg", [0.0, 37.0, 121.0])
def test_a_tilted_spheroid_casts_the_shadow_of_its_voxels(angle_deg: float) -> None:
    shape = tilted(25.0, 40.0, 54.0, 18.0)
    step_um = GEOMETRY.pixel_size_um / 6
    line = np.arange(-60, 60, step_um) + step_um / 2
    x, y, z = np.meshgrid(line, line, line, indexing="ij")
    along = x * shape.axis[0, 0] + y * shape.axis[0, 1] + z * shape.axis[0, 2]
    inside = (x**2 + y**2 + z**2 - along**2) / 54.0**2 + along**2 / 18.0**2 <= 1
    theta = math.radians(angle_deg)
    u_um = (x[inside] + 12.0) * math.cos(theta) + (y[inside] - 20.0) * math.sin(theta)
    column = np.floor(u_um / GEOMETRY.pixel_size_um + AXIS_COLUMN + 0.5).astype(int)
    row = np.floor(GEOMETRY.num_rows - (z[inside] + 80.0) / GEOMETRY.pixel_size_um).astype(int)
    voxels = np.zeros(GEOMETRY.frame_shape)
    np.add.at(voxels, (row, column), 20.0e-4 * step_um**3 / GEOMETRY.pixel_size_um**2)
    difference = shadow(only(shape), angle_deg) - voxels
    # rms 2 % of the deepest point: the staircase of voxels of a sixth of a pixel at a rim that thin
    assert np.sqrt(np.mean(difference**2)) < 0.02 * voxels.max()
    assert np.abs(difference).max() < 0.12 * voxels.max()


@settings(max_examples=40, deadline=None)
@given(
    tilt_deg=st.floats(0, 90),
    azimuth_deg=st.floats(0, 360),
    angle_deg=st.floats(-360, 360),
    polar_um=st.floats(4, 50),
)
def test_a_shadow_holds_the_whole_volume(
    tilt_deg: float, azimuth_deg: float, angle_deg: float, polar_um: float
) -> None:
    shape = tilted(tilt_deg, azimuth_deg, 50.0, polar_um)
    volume_um3 = shadow(only(shape), angle_deg).sum() / 20.0e-4 * GEOMETRY.pixel_size_um**2
    # 2 %: two samples in a column of 3.52 um across a shape that may stand on edge and be 8 um thin
    assert volume_um3 == pytest.approx(float(shape.volume_um3[0]), rel=0.02)


def test_layers_end_in_the_middle_of_a_row() -> None:
    layer = Cylinders(np.zeros((1, 2)), np.array([3000.0]), np.array([0.0]), np.array([100.0]), np.array([2.0]))
    scene = Scene(layer, no_spheroids(), no_spheroids(), no_spheroids(), no_spheroids())
    column = shadow(scene, 0.0)[:, 31] / (2.0 * 0.6)
    full, part = divmod(100.0 / GEOMETRY.pixel_size_um, 1)
    assert column.sum() == pytest.approx(full + part, rel=1e-4)
    assert column[GEOMETRY.num_rows - int(full) - 1] == pytest.approx(part, rel=1e-3)


def test_the_sample_moves_across_and_out_of_the_view() -> None:
    scene = only(tilted(10.0, 0.0, 40.0, 15.0))
    moved = shadow(scene, 20.0, sample_x_mm=10 * GEOMETRY.pixel_size_um / 1e3)
    assert np.allclose(moved[:, 10:], shadow(scene, 20.0)[:, :-10], atol=1e-6)
    assert not shadow(scene, 20.0, sample_x_mm=12.0).any()
