import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from operando.model.frames import ANGLES, FRAME_IDS, IMAGES, TIMES
from simulators.hdf5_plugin import c_format
from simulators.hdf5_writer import Hdf5Writer


def test_a_frame_is_seen_whole_by_a_reader_while_the_file_grows(tmp_path: Path) -> None:
    writer = Hdf5Writer(tmp_path / "frames.h5", (4, 6))
    with h5py.File(tmp_path / "frames.h5", "r", swmr=True) as file:
        for number in range(1, 4):
            writer.append(np.full((4, 6), number, np.uint16), 100.0 + number, number, 0.5 * number)
            for name in (IMAGES, TIMES, FRAME_IDS, ANGLES):
                file[name].refresh()
                assert file[name].shape[0] == number
            assert (file[IMAGES][number - 1] == number).all()
            assert (file[TIMES][-1], file[FRAME_IDS][-1], file[ANGLES][-1]) == (100.0 + number, number, 0.5 * number)
    writer.close()


FULL = """
import os, resource, signal, sys
from pathlib import Path
import numpy as np
from simulators.hdf5_writer import Hdf5Writer
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer = Hdf5Writer(Path(sys.argv[1]), (48, 64))
room = Path(sys.argv[1]).stat().st_size + int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))  # fails as a full disk does
told = []
for act in (lambda: [writer.append(np.ones((48, 64), "u2"), 1.0, n, 0.0) for n in range(50)], writer.close):
    try:
        act()
    except OSError as error:
        told.append(str(error))
del writer, act
print(len(told), flush=True)
os._exit(0)  # as every process of the product ends
"""


@pytest.mark.parametrize("room", [0, 1000, 5000, 20_000])
def test_a_full_disk_is_told_and_does_not_end_the_process(tmp_path: Path, room: int) -> None:
    command = [sys.executable, "-c", FULL, str(tmp_path / "frames.h5"), str(room)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    Hdf5Writer(tmp_path / "frames.h5", (4, 6)).close()
    with pytest.raises(OSError, match="exists"):
        Hdf5Writer(tmp_path / "frames.h5", (4, 6))


@pytest.mark.parametrize(
    ("template", "name"),
    [("%s%s.h5", "/data/0003_dark.h5"), ("%s%s_%3.3d.h5", "/data/0003_dark_007.h5"), ("100%%_%s", "100%_/data/")],
)
def test_a_file_template_is_filled_as_c_does(template: str, name: str) -> None:
    assert c_format(template, "/data/", "0003_dark", 7) == name
