import os
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from operando.model.frames import ANGLES, FRAME_IDS, IMAGES, TIMES
from operando.model.run_directory import RunDirectory
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


def test_a_file_of_which_nothing_can_be_read_stays_as_it_is(tmp_path: Path) -> None:
    path = RunDirectory(tmp_path).frames / "0001_dark.h5"
    path.parent.mkdir()
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    (said,) = salvage(RunDirectory(tmp_path))
    assert said.startswith("0001_dark.h5: nothing can be read of it")
    assert path.stat().st_size == 108
    assert frames_in_file(path) == FramesInFile(0, 0)
