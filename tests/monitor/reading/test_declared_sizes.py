"""Files of a run that declare more than they hold are shown as unreadable, and the monitor goes on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from operando.model.frames import FrameKind
from operando.model.plane_wish import PlaneWish
from operando.model.run_directory import RunDirectory
from operando.monitor.inside.displacement_arrows import read_displacement
from operando.monitor.inside.finished_planes import FinishedPlanes
from operando.monitor.inside.frames_pictures import NewestFrame
from operando.monitor.inside.sinogram import SinogramReader
from operando.monitor.reading.frame_counts import FrameCount, FrameCounter
from operando.monitor.reading.pictures import PictureReader
from tests.monitor.conftest import OpenMonitor
from tests.monitor.inside.states import tomogram, write_state
from tests.support.declared_files import MANY, WIDE, declare, declared_frames
from tests.support.run_directories import finished_run

TOO_WIDE = (4, 2**14, 2**15)  # it could be read, and no screen shows it
TOMOGRAM = tomogram("OCV", 1)
PROJECTIONS = FrameCount(FrameKind.PROJECTION, 5)


@pytest.mark.parametrize("shape", [WIDE, TOO_WIDE, (MANY, 4, 4), (10, 4, MANY), (4,)])
@pytest.mark.parametrize(
    "read",
    [
        lambda run: PictureReader(run).newest(TOMOGRAM),
        lambda run: NewestFrame(run, FrameKind.PROJECTION).newest(TOMOGRAM),
        lambda run: SinogramReader(run).newest(TOMOGRAM, None),
        lambda run: FrameCounter(run).count(1, (PROJECTIONS,)) != (PROJECTIONS,) or None,
    ],
    ids=["picture", "frame", "sinogram", "count"],
)
def test_frames_that_nobody_can_read_count_as_none(
    tmp_path: Path, shape: tuple[int, ...], read: Callable[[RunDirectory], Any]
) -> None:
    run = RunDirectory(tmp_path)
    declared_frames(run.frames_file(1, FrameKind.PROJECTION), shape)
    assert read(run) is None


@pytest.mark.parametrize("shape", [WIDE, TOO_WIDE, (2**20, 4, 4)])
def test_the_newest_slice_of_a_region_that_cannot_be_is_not_drawn(tmp_path: Path, shape: tuple[int, ...]) -> None:
    run = RunDirectory(tmp_path)
    declare(run.volume(1) / "region.h5", {"region": shape})
    assert PictureReader(run).newest(None) is None


@pytest.mark.parametrize("shape", [WIDE[1:], TOO_WIDE[1:]])
@pytest.mark.parametrize("name", ["slices.h5", "masks.h5"])
def test_planes_too_large_to_be_drawn_count_as_none(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    run = RunDirectory(tmp_path)
    declare(write_state(run, 1, 5.0) / name, dict.fromkeys(("xy", "xz", "yz"), shape))
    planes = FinishedPlanes(run).planes(TOMOGRAM)
    assert (planes is None) == (name == "slices.h5")
    if planes is not None:
        assert not planes.masks
    else:
        assert "cannot be read" in FinishedPlanes(run).why_none(TOMOGRAM, num_measurements=1)


@pytest.mark.parametrize("shape", [WIDE, (10**8, 2, 2), (2**17, 2, 2)])  # the others would be read for a day
def test_a_volume_that_no_analysis_wrote_is_not_cut(tmp_path: Path, shape: tuple[int, ...]) -> None:
    run = RunDirectory(tmp_path)
    declare(write_state(run, 1, 5.0) / "live.h5", {"attenuation": shape})
    planes = FinishedPlanes(run).planes(TOMOGRAM, PlaneWish(z=0.9))
    assert planes is not None
    assert planes.source == "slices.h5"  # what can be read is shown instead


@pytest.mark.parametrize("num", [MANY, 2**23])
def test_arrows_of_too_many_cuboids_are_not_drawn(tmp_path: Path, num: int) -> None:
    shapes = {"node_um": (num, 3), "displacement_um": (num, 3), "valid": (num,)}
    declare(tmp_path / "displacement.h5", shapes, cuboid_um=5.0)
    assert read_displacement(tmp_path) is None


def test_the_rest_of_such_a_run_is_shown(open_monitor: Callable[[RunDirectory], OpenMonitor], tmp_path: Path) -> None:
    run = finished_run(tmp_path / "run", num_samples=1000).run
    for kind in FrameKind:
        run.frames_file(1, kind).unlink(missing_ok=True)
        declared_frames(run.frames_file(1, kind))
    declare(run.preview(1), dict.fromkeys(("xy", "xz", "yz"), WIDE[1:]))
    declare(run.volume(1) / "slices.h5", dict.fromkeys(("xy", "xz", "yz"), WIDE[1:]))
    declare(run.volume(1) / "region.h5", {"region": WIDE})
    monitor = open_monitor(run)
    for page in monitor.window.pages:
        monitor.window.show_page(page.title)
        assert monitor.until(lambda view: bool(view.tomograms)).tomograms
