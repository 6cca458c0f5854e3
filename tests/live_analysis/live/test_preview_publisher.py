"""What others see of a live volume while it grows: seldom enough, whole, and where they wish to look."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from live_analysis.live.growing_slices import GrowingSlices
from live_analysis.live.live_volume import Assumptions, FinishedVolume, LiveVolume
from live_analysis.live.preview_publisher import MAX_SHARE, MIN_PERIOD_S, PreviewPublisher
from operando.model.plane_wish import PlaneWish, write_plane_wish
from operando.model.preview_slices import PreviewSlices, read_preview
from operando.model.run_directory import RunDirectory
from tests.support.fast_clock import FastClock

ROWS, COLUMNS, NUM, PIXEL_UM = 20, 32, 64, 20.0
ANGLES_DEG = np.linspace(0, 180, NUM, endpoint=False)
INTEGRALS = np.random.default_rng(1).normal(0.5, 0.1, (NUM, ROWS, COLUMNS)).astype(np.float32)


class Seen:
    """A volume that grows, and all that is told and shown of it."""

    def __init__(self, folder: Path, *, voxel_size_known: bool = True) -> None:
        self.run, self.clock, self.told = RunDirectory(folder), FastClock(), list[str]()
        self.slices = GrowingSlices(ROWS, COLUMNS, PIXEL_UM, angle_step_deg=180 / NUM, num_projections=NUM)
        self.volume = LiveVolume(
            ROWS, COLUMNS, PIXEL_UM, angle_step_deg=180 / NUM, assumptions=Assumptions(), slices=self.slices
        )
        self.publisher = PreviewPublisher(
            self.run,
            1,
            tomogram="OCV",
            run_uid="uid",
            num_announced=NUM,
            voxel_size_known=voxel_size_known,
            host_clock=self.clock,
            report=self.told.append,
        )
        self._num = 0

    def grow(self, num: int) -> None:
        part = slice(self._num, self._num + num)
        self.volume.add(INTEGRALS[part], ANGLES_DEG[part])
        self._num += num

    def offer(self, after_s: float = MIN_PERIOD_S) -> PreviewSlices | None:
        self.clock.sleep_until(self.clock.now() + after_s)
        self.publisher.offer(self.slices, PIXEL_UM)
        return self.shown()

    def shown(self) -> PreviewSlices | None:
        path = self.run.preview(1)
        return read_preview(path) if path.exists() else None


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    return Seen(tmp_path)


def num_of(preview: PreviewSlices | None) -> int:
    return 0 if preview is None else preview.num_projections


def test_slices_are_shown_at_most_five_times_a_second_and_only_when_they_have_changed(seen: Seen) -> None:
    seen.grow(8)
    assert num_of(seen.offer()) == 0  # too few to begin a volume
    seen.grow(12)
    assert num_of(seen.offer()) == 20
    seen.grow(10)
    assert num_of(seen.offer(after_s=MIN_PERIOD_S / 2)) == 20
    assert num_of(seen.offer(after_s=MIN_PERIOD_S / 2)) == 30
    written_ns = seen.run.preview(1).stat().st_mtime_ns
    seen.offer()
    assert seen.run.preview(1).stat().st_mtime_ns == written_ns
    shown = seen.shown()
    assert shown is not None
    assert (shown.tomogram, shown.num_announced, shown.voxel_size_um, shown.complete) == ("OCV", NUM, PIXEL_UM, False)
    assert shown.coverage == pytest.approx(30 / NUM)
    assert not shown.grey_values_absolute  # no cell was declared


def test_a_slow_disk_is_written_to_so_seldom_that_the_volume_is_not_held_up(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("live_analysis.live.preview_publisher.write_preview", slow(seen.clock, seconds=3.0))
    num_written = 0
    for _ in range(40):
        seen.grow(1)
        before_s = seen.clock.now()
        seen.offer(after_s=1.0)
        num_written += seen.clock.now() - before_s > 3.0
    assert 2 <= num_written <= 1 + MAX_SHARE * seen.clock.now() / 3.0
    assert num_written * 3.0 <= (MAX_SHARE + 0.1) * (40 + 3.0 * num_written)


def slow(clock: FastClock, *, seconds: float) -> Callable[[Path, PreviewSlices], None]:
    def write(path: Path, preview: PreviewSlices) -> None:
        clock.sleep_until(clock.now() + seconds)

    return write


def test_a_wish_moves_the_planes_at_once_and_nonsense_is_told_once(seen: Seen) -> None:
    seen.grow(40)
    seen.offer()
    write_plane_wish(seen.run.plane_wish, PlaneWish(z=0.26, y=0.9, x=0.1))
    moved = seen.offer()
    assert moved is not None
    assert (moved.row, moved.y, moved.x) == (5, 28, 3)
    assert moved.num_projections == 40
    for nonsense in ("", "[0.1, 0.2]", '{"z": 3}', '{"z": "top"}', '{"w": 0.1}', '{"z": NaN}', "{" * 2000):
        seen.run.plane_wish.write_text(nonsense)
        seen.told.clear()
        seen.offer()
        seen.offer()
        assert len(seen.told) == 1
        assert "preview_planes.json" in seen.told[0]
        assert "stay where they are" in seen.told[0]
    seen.grow(4)
    assert num_of(seen.offer()) == 44


def test_the_last_slices_are_those_of_the_finished_volume_where_people_wish_them(seen: Seen) -> None:
    seen.grow(NUM)
    write_plane_wish(seen.run.plane_wish, PlaneWish(z=0.0, y=0.4, x=1.0))
    volume = seen.volume.finish()
    seen.publisher.complete(volume, PIXEL_UM)
    shown = seen.shown()
    assert shown is not None
    assert shown.complete
    assert (shown.row, shown.y, shown.x) == (0, 12, COLUMNS - 1)
    np.testing.assert_array_equal(shown.xz, volume.values_per_cm[:, 12])


def test_without_a_voxel_size_attenuation_is_per_voxel_and_never_absolute(tmp_path: Path) -> None:
    seen = Seen(tmp_path, voxel_size_known=False)
    seen.grow(NUM)
    volume: FinishedVolume = replace(seen.volume.finish(), grey_values_absolute=True)
    seen.publisher.complete(volume, PIXEL_UM)
    shown = seen.shown()
    assert shown is not None
    assert (shown.unit, shown.grey_values_absolute) == ("1/voxel", False)
    np.testing.assert_allclose(shown.xy, volume.values_per_cm[10] * PIXEL_UM * 1e-4, rtol=1e-5)


def test_a_preview_that_cannot_be_written_is_told_once(seen: Seen) -> None:
    seen.run.preview(1).mkdir(parents=True)  # in its way
    for _ in range(3):
        seen.grow(20)
        seen.publisher.offer(seen.slices, PIXEL_UM)
        seen.clock.sleep_until(seen.clock.now() + 10.0)
    assert len(seen.told) == 1
    assert "no preview could be written" in seen.told[0]
