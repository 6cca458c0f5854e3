"""A bore of matrix with one particle, wider than the view, from counts to slices, region and reference."""

import numpy as np
import pytest

from live_analysis import integral_slabs, tomogram_volume
from live_analysis.frame_reader import FrameReader
from live_analysis.rotation_axis import RotationAxis
from live_analysis.tomogram_frames import TomogramFrames
from live_analysis.tomogram_volume import Reference, TomogramVolume, reconstruct_tomogram
from operando.model.frames import FrameKind
from operando.model.geometry import CellGeometry, Region
from simulators.hdf5_writer import Hdf5Writer
from tests.live_analysis.phantoms import Detector, Spheroid, cylinder

ROWS, COLUMNS, PIXEL_UM, AXIS = 40, 64, 20.0, RotationAxis(32.2, 0.1, 0.9, "given")
CELL = CellGeometry(bore_diameter_mm=2.0, wall_outer_diameter_mm=4.0, wall_material="PEEK")
CONTENT_PER_CM, PARTICLE_PER_CM, WALL_PER_CM = 2.0, 12.0, 0.3
PARTICLE_UM = 100.0, -60.0, 500.0  # x and y from the axis, depth below the middle of row 0
BEAM, DARK = 40_000.0, 100.0
REGION, REFERENCE = Region(300.0, 200.0, 100.0, 500.0), Reference(560.0, 720.0, 300.0)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> TomogramFrames:
    detector = Detector(np.arange(0, 180, 2.0), ROWS, COLUMNS, PIXEL_UM, AXIS.column)
    content = cylinder(detector, 1000, CONTENT_PER_CM - WALL_PER_CM) + cylinder(detector, 2000, WALL_PER_CM)
    integrals = np.repeat(content, ROWS, axis=1)
    x_um, y_um, z_um = PARTICLE_UM
    Spheroid(x_um, y_um, z_um, 50.0, 50.0, PARTICLE_PER_CM - CONTENT_PER_CM).add_to(integrals, detector)
    noise, folder = np.random.default_rng(1), tmp_path_factory.mktemp("frames")
    for kind, photons in (
        (FrameKind.DARK, np.zeros((4, ROWS, COLUMNS))),
        (FrameKind.FLAT, np.full((12, ROWS, COLUMNS), BEAM)),
        (FrameKind.PROJECTION, BEAM * np.exp(-integrals)),
    ):
        writer = Hdf5Writer(folder / kind, (ROWS, COLUMNS))
        for index, frame in enumerate(noise.poisson(photons + DARK).astype(np.uint16)):
            writer.append(frame, 1e9 + index, index + 1, 2.0 * index)
        writer.close()
    found = TomogramFrames({kind: FrameReader(folder / kind) for kind in FrameKind})
    while found.poll():
        pass
    return found


def measured(frames: TomogramFrames) -> TomogramVolume:
    return reconstruct_tomogram(
        frames, PIXEL_UM, cell=CELL, wall_per_cm=WALL_PER_CM, region=REGION, reference=REFERENCE
    )


def test_reference_and_region_are_in_their_places_and_right(frames: TomogramFrames) -> None:
    found = measured(frames)
    assert found.axis.column == pytest.approx(AXIS.column, abs=0.3)
    assert found.reference_values is not None
    assert float(np.median(found.reference_values)) == pytest.approx(CONTENT_PER_CM, rel=0.01)
    assert found.reference_values.shape == (8, 709)  # points within 15 columns of the axis
    assert found.region is not None
    assert found.region.complete
    assert found.region.values_per_cm[found.region.core].shape == (20, 10, 15)
    assert found.slices.xy.shape == (COLUMNS, COLUMNS)
    # The particle is 5 columns right of the axis and 3 before it, in row 25, which is the middle of the region.
    bright = np.argwhere(found.slices.xy > PARTICLE_PER_CM / 2).mean(axis=0)
    np.testing.assert_allclose(bright, (28.5, 36.5), atol=0.5)
    in_core = np.argwhere(found.region.values_per_cm[found.region.core] > PARTICLE_PER_CM / 2).mean(axis=0)
    np.testing.assert_allclose(in_core, (10.0, 4.5 - 3, 7.0 + 5), atol=0.5)  # z, y, x from the region's corner
    assert np.isnan(found.slices.xy[0, 0])


def test_a_scan_that_fills_many_slabs_gives_what_one_slab_gives(
    frames: TomogramFrames, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Which rows tell the axis depends on how many a slab holds.
    monkeypatch.setattr(tomogram_volume, "find_rotation_axis", lambda *_: AXIS)
    whole = measured(frames)
    monkeypatch.setattr(integral_slabs, "SLAB_BYTES", 17 * 4 * COLUMNS * len(frames.angles_deg))
    slabs = measured(frames)
    assert whole.region is not None
    assert slabs.region is not None
    assert whole.reference_values is not None
    assert slabs.reference_values is not None
    for one, other in (
        (whole.slices.xy, slabs.slices.xy),
        (whole.slices.xz, slabs.slices.xz),
        (whole.slices.yz, slabs.slices.yz),
        (whole.reference_values, slabs.reference_values),
        (whole.region.values_per_cm, slabs.region.values_per_cm),
    ):
        np.testing.assert_allclose(one, other, atol=1e-3)  # 1/cm, a ten-thousandth of the noise of a voxel
    assert slabs.num_values == whole.num_values
    assert slabs.stripes == whole.stripes
