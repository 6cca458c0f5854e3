from pathlib import Path

import h5py
import numpy as np
import pytest

from operando.model import frames
from operando.model.frames import FrameKind
from operando.model.run_directory import RunDirectory
from operando.monitor.reading.frame_counts import (
    FrameCount,
    FrameCounter,
    asked_frames,
    counted_frames,
    lost_text,
    num_lost,
)


def write(run: RunDirectory, kind: FrameKind, frame_ids: list[int] | None, num: int) -> None:
    run.frames.mkdir(exist_ok=True)
    with h5py.File(run.frames_file(1, kind), "w", libver="latest") as file:
        file.create_dataset(frames.IMAGES, data=np.zeros((num, 2, 3), np.uint16))
        if frame_ids is not None:
            file.create_dataset(frames.FRAME_IDS, data=np.array(frame_ids, np.int64))


@pytest.mark.parametrize(
    ("frame_ids", "lost"),
    [([], 0), ([7], 0), ([7, 8, 9], 0), ([7, 9, 12], 3), ([9, 7, 8], 0), ([7, 8, 0, 0], 0), ([7, 7, 8], 0)],
)
def test_lost_frames_are_the_gaps_between_frame_ids(frame_ids: list[int], lost: int) -> None:
    assert num_lost(np.array(frame_ids, np.int64)) == lost


def test_the_start_document_says_what_was_asked_for() -> None:
    asked = asked_frames({"num_darks": 5, "num_flats": 10, "num_projections": 45, "num_flats_after": 0})
    assert [(entry.kind, entry.expected) for entry in asked] == [
        (FrameKind.DARK, 5),
        (FrameKind.FLAT, 10),
        (FrameKind.PROJECTION, 45),
    ]


def test_frames_are_counted_while_they_come(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    asked = asked_frames({"num_darks": 2, "num_flats": 3, "num_projections": 9})
    counter = FrameCounter(run)
    assert counter.count(1, asked) == asked
    write(run, FrameKind.DARK, [1, 2], 2)
    write(run, FrameKind.PROJECTION, [6, 7, 10], 3)
    darks, flats, projections = counter.count(1, asked)
    assert (darks.text, darks.lost) == ("darks 2 of 2", 0)
    assert (flats.text, flats.lost) == ("flats 0 of 3", None)
    assert projections.text == "projections 3 of 9, 2 LOST"
    assert lost_text((darks, flats, projections)) == "2 FRAMES LOST"
    run.frames_file(1, FrameKind.DARK).unlink()  # what was whole is not looked for again
    assert counter.count(1, asked)[0] == darks


def test_files_without_frame_ids_say_nothing_of_lost_frames(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    write(run, FrameKind.DARK, None, 1)
    (darks,) = FrameCounter(run).count(1, asked_frames({"num_darks": 2}))
    assert (darks.received, darks.lost) == (1, None)
    assert lost_text((darks,)) == ""


def test_a_damaged_file_holds_no_frames(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    run.frames.mkdir()
    run.frames_file(1, FrameKind.DARK).write_bytes(b"no HDF5")
    assert FrameCounter(run).count(1, asked_frames({"num_darks": 2})) == (FrameCount(FrameKind.DARK, 2),)


def test_the_acquisitions_own_count_is_what_counts_in_the_end() -> None:
    flats, projections = counted_frames(
        {
            **{"expected_flat": 10, "acquired_flat": 10, "written_flat": 8},
            **{"expected_projection": 45, "acquired_projection": 5, "written_projection": 5},
        }
    )
    assert flats.text == "flats 8 of 10, 2 LOST"
    assert projections.text == "projections 5 of 45"  # given up: what was never exposed is not lost
    assert lost_text((projections,)) == "none lost"
    assert counted_frames({"outcome": "complete"}) == ()
