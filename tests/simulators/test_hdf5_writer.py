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
