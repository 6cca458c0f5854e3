"""One tomogram from frames that arrive in portions to slices that grow and a volume on the disk."""

from pathlib import Path

import numpy as np
import pytest

from live_analysis.frame_reader import FrameReader
from live_analysis.live.live_tomogram import LiveScan, LiveTomogram
from live_analysis.live.live_volume import Assumptions
from live_analysis.live.preview_publisher import PreviewPublisher
from live_analysis.tomogram_frames import TomogramFrames
from operando.model.frames import FrameKind
from operando.model.preview_slices import read_preview
from tests.support.fast_clock import FastClock
from tests.support.phantom_run import COLUMNS, DARK_COUNTS, PIXEL_UM, ROWS, PhantomRun

PAGE = Path(__file__).parents[3] / "docs" / "live-analysis.md"
NUM, NUM_WITHOUT_BEAM = 90, 6


def listing_of_the_page() -> str:
    section = PAGE.read_text(encoding="utf-8").partition("## Slices while projections arrive")[2]
    return section.partition("```python")[2].partition("```")[0]


def test_projections_without_beam_are_left_out_of_slices_that_go_on_growing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    faked, clock = PhantomRun(tmp_path / "run"), FastClock()
    tomogram = faked.begin("OCV", 1, num_projections=NUM)
    publisher = PreviewPublisher(
        faked.run,
        1,
        tomogram="OCV",
        run_uid=tomogram.uid,
        num_announced=NUM,
        voxel_size_known=True,
        host_clock=clock,
        report=pytest.fail,
    )
    scan = LiveScan(NUM, 180.0, PIXEL_UM, cell=None, wall_per_cm=None, run_uid=tomogram.uid)
    live = LiveTomogram(scan, faked.run.volume(1), Assumptions(), publisher)

    def seen() -> int:
        frames.poll()
        live.poll(frames)
        clock.sleep_until(clock.now() + 1.0)
        live.poll(frames)  # nothing came since, but the rate may have kept the last of them from being seen
        return read_preview(faked.run.preview(1)).num_projections

    tomogram.write(FrameKind.DARK, 3)
    tomogram.write(FrameKind.FLAT, 4)
    tomogram.write(FrameKind.PROJECTION, 40)
    frames = TomogramFrames({kind: FrameReader(faked.run.frames_file(1, kind)) for kind in FrameKind})
    assert seen() == 40
    for index in range(40, 40 + NUM_WITHOUT_BEAM):
        without_beam = np.full((ROWS, COLUMNS), DARK_COUNTS, np.uint16)
        tomogram.writers[FrameKind.PROJECTION].append(
            without_beam, faked.frame_time_s(index), index + 1, 180.0 * index / NUM
        )
    assert seen() == 40
    tomogram.write(FrameKind.PROJECTION, NUM - 40 - NUM_WITHOUT_BEAM - 1)
    assert seen() == NUM - NUM_WITHOUT_BEAM - 1
    tomogram.close()
    result = live.finish()  # one projection never came
    frames.close()
    last = read_preview(faked.run.preview(1))
    assert last.complete
    assert (last.num_projections, last.num_announced) == (NUM - NUM_WITHOUT_BEAM - 1, NUM)
    np.testing.assert_array_equal(last.xy, result.volume.values_per_cm[last.row])
    monkeypatch.chdir(faked.run.path)
    exec(listing_of_the_page(), {})
    assert "83 of 90 projections" in capsys.readouterr().out
