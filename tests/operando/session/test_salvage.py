import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from operando.model.frames import ANGLES, FRAME_IDS, IMAGES, TIMES
from operando.model.hdf5_beside_writer import open_beside_writer
from operando.model.run_directory import RunDirectory
from operando.session import salvage as salvaging
from operando.session.frames_in_file import FramesInFile, frames_in_file
from operando.session.salvage import salvage

WRITER = """
import sys
from pathlib import Path
import numpy as np
from simulators.hdf5_writer import Hdf5Writer
writer = Hdf5Writer(Path(sys.argv[1]), (6, 8))
for index in range(5):
    frame_id = 100 + index + (index > 2)  # one id is missing
    writer.append(np.full((6, 8), index, "u2"), 1.7e9 + index, frame_id, 0.5 * index)
print("written", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A frames file of five frames whose writer was killed."""
    path = RunDirectory(tmp_path).frames / "0001_projection.h5"
    path.parent.mkdir()
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "written\n"
        os.kill(writer.pid, signal.SIGKILL)
    return path


def test_a_file_whose_writer_was_killed_is_made_whole_with_every_frame(killed: Path, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="write"):
        h5py.File(killed)
    assert frames_in_file(killed) == FramesInFile(written=5, spanned=6)
    damaged = killed.read_bytes()
    (said,) = salvage(RunDirectory(tmp_path))
    assert said == "0001_projection.h5: 5 frames; the damaged file stays as 0001_projection.h5.damaged"
    assert killed.with_name("0001_projection.h5.damaged").read_bytes() == damaged
    with h5py.File(killed) as file:
        assert [int(frame.mean()) for frame in file[IMAGES]] == [0, 1, 2, 3, 4]
        assert file[IMAGES].dtype == np.uint16
        assert file[FRAME_IDS][:].tolist() == [100, 101, 102, 104, 105]
        assert file[TIMES].shape == file[ANGLES].shape == (5,)
    assert frames_in_file(killed) == FramesInFile(written=5, spanned=6)
    assert salvage(RunDirectory(tmp_path)) == []  # it is whole now
    assert sorted(path.name for path in killed.parent.iterdir()) == [killed.name, f"{killed.name}.damaged"]


OTHER_WRITER = """
import os, sys
import h5py, numpy as np
from operando.model.frames import ANGLES, FRAME_IDS, IMAGES, TIMES
file = h5py.File(sys.argv[1], "w", libver="latest")
images = file.create_dataset(IMAGES, (7, 6, 8), "u2", maxshape=(None, 6, 8), chunks=CHUNKS, **OPTIONS)
for name in (TIMES, FRAME_IDS, ANGLES):
    file.create_dataset(name, data=np.arange(7), maxshape=(None,))
file.swmr_mode = True
for index in (0, 1, 2, 4, 5):
    images[index] = np.arange(48).reshape(6, 8) + index
images[3, :3, :4] = 1
for each in (images, *(file[name] for name in (TIMES, FRAME_IDS, ANGLES))):
    each.flush()
os._exit(0)
"""


@pytest.mark.parametrize(
    ("chunks", "options", "kept"),
    [
        ((1, 3, 4), {}, [0, 1, 2, 4, 5]),
        ((1, 6, 8), {"compression": "gzip"}, [0, 1, 2, 3, 4, 5]),
        ((2, 6, 4), {"fletcher32": True}, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_frames_stored_in_any_way_are_kept_and_those_that_were_never_written_are_left_out_with_their_ids(
    tmp_path: Path, chunks: tuple[int, ...], options: dict[str, Any], kept: list[int]
) -> None:
    path = RunDirectory(tmp_path).frames / "0001_projection.h5"
    path.parent.mkdir()
    program = OTHER_WRITER.replace("CHUNKS", repr(chunks)).replace("OPTIONS", repr(options))
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, timeout=60)
    (said,) = salvage(RunDirectory(tmp_path))
    lost = f", {7 - len(kept)} more were counted but never written" if len(kept) < 7 else ""
    assert said.startswith(f"0001_projection.h5: {len(kept)} frames{lost}; the damaged file stays")
    with h5py.File(path) as file:
        assert file[FRAME_IDS][:].tolist() == kept
        for index, frame_id in enumerate(kept):
            if frame_id != 3:
                assert np.array_equal(file[IMAGES][index], np.arange(48).reshape(6, 8) + frame_id)
        assert file[IMAGES].chunks == chunks
        assert (file[IMAGES].compression, file[IMAGES].fletcher32) == (
            options.get("compression"),
            "fletcher32" in options,
        )


@pytest.mark.parametrize(("written", "kept"), [(False, 0), (True, 2)])
def test_frames_in_one_piece_are_kept_if_they_were_written(
    tmp_path: Path, written: bool, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = RunDirectory(tmp_path).frames / "0001_dark.h5"
    path.parent.mkdir()
    with h5py.File(path, "w", libver="latest") as file:
        images = file.create_dataset(IMAGES, (2, 3, 3), "u2")
        if written:
            images[:] = 5
        for name in (TIMES, FRAME_IDS, ANGLES):
            file[name] = np.arange(2)
    monkeypatch.setattr(salvaging, "_is_whole", lambda _: False)  # as if its writer had been killed
    (said,) = salvage(RunDirectory(tmp_path))
    assert said.startswith(f"0001_dark.h5: {kept} frames")
    with h5py.File(path) as file:
        assert file[IMAGES][:].tolist() == np.full((kept, 3, 3), 5).tolist()


def test_frames_beyond_the_end_of_the_file_cost_no_others(killed: Path, tmp_path: Path) -> None:
    with open_beside_writer(killed) as file:
        offsets = [file[IMAGES].id.get_chunk_info_by_coord((index, 0, 0)).byte_offset for index in range(5)]
    assert offsets == sorted(offsets)
    os.truncate(killed, offsets[4] + 8)
    (said,) = salvage(RunDirectory(tmp_path))
    assert said.startswith("0001_projection.h5: 4 frames, 1 more were counted but never written; the damaged file")
    with h5py.File(killed) as file:
        assert [int(frame.mean()) for frame in file[IMAGES]] == [0, 1, 2, 3]
        assert file[FRAME_IDS][:].tolist() == [100, 101, 102, 104]


def test_a_file_of_which_nothing_can_be_read_stays_as_it_is(tmp_path: Path) -> None:
    path = RunDirectory(tmp_path).frames / "0001_dark.h5"
    path.parent.mkdir()
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    (said,) = salvage(RunDirectory(tmp_path))
    assert said.startswith("0001_dark.h5: nothing can be read of it")
    assert path.stat().st_size == 108
    assert frames_in_file(path) == FramesInFile(0, 0)
