"""Files that declare more than they hold end in a sentence: the analysis neither fills memory nor loops on them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from live_analysis import frame_reader
from live_analysis.cracks.crack_file import read_cracks
from live_analysis.displacement.displacement_file import read_displacement
from live_analysis.final_volume.hdf5_frames import Hdf5Frames
from live_analysis.final_volume.raw_scan import FrameStack, VolumeError
from live_analysis.final_volume.run_scan import RunFrames
from live_analysis.frame_reader import FrameFileError, FrameReader
from live_analysis.region_file import read_region
from operando.model import frames
from operando.model.declared_size import DeclaredSizeError
from tests.support.declared_files import MANY, WIDE, declare, declared_frames

REGION: dict[str, Any] = {
    "core": [0, 1] * 3, "first_row": 0, "num_rows": 3, "voxel_size_um": 1.0, "tomogram": "a", "run_uid": "u",
    "grey_values_absolute": True,
}  # fmt: skip


@pytest.mark.parametrize("ask", [lambda reader: reader.num_frames(), lambda reader: reader.frames_since(0)])
@pytest.mark.parametrize("shape", [WIDE, (MANY, 4, 4)])
def test_frames_that_cannot_be_are_an_error_of_their_file(
    tmp_path: Path, shape: tuple[int, ...], ask: Callable[[FrameReader], Any]
) -> None:
    reader = FrameReader(declared_frames(tmp_path / "frames.h5", shape))
    with pytest.raises(FrameFileError, match=r"frames\.h5: /entry/data/data .* declares .* are read"):
        ask(reader)
    reader.close()


def test_a_list_beside_frames_that_is_no_list_is_an_error_of_their_file(tmp_path: Path) -> None:
    path = declared_frames(tmp_path / "frames.h5", (3, 4, 4))
    for shape in ((MANY,), ()):
        with h5py.File(path, "a") as file:
            del file[frames.ANGLES]
            file.create_dataset(frames.ANGLES, shape, "f8", chunks=(64,) if shape else None)
        reader = FrameReader(path)
        with pytest.raises(FrameFileError, match=r"frames\.h5: "):
            reader.frames_since(0)
        reader.close()


def test_large_frames_are_read_in_smaller_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = FrameReader(declared_frames(tmp_path / "frames.h5", (9, 30, 40)))
    for at_once, found in ((5 * 30 * 40, 5), (30 * 40 - 1, 1), (10**6, 9)):
        monkeypatch.setattr(frame_reader, "VALUES_AT_ONCE", at_once)
        batch = reader.frames_since(0)
        assert batch is not None
        assert len(batch) == found
    reader.close()


@pytest.mark.parametrize("name", ["hdf5", "run"])
def test_rows_of_more_frames_than_the_memory_holds_are_refused(tmp_path: Path, name: str) -> None:
    path = declared_frames(tmp_path / "frames.h5", (2**18, 2**14, 2**14))
    stacks: dict[str, FrameStack] = {
        "hdf5": Hdf5Frames(path, frames.IMAGES, tuple(range(2**18)), (2**14, 2**14), np.dtype(np.uint16)),
        "run": RunFrames(path, (2**18, 2**14, 2**14)),
    }
    with pytest.raises(VolumeError, match=r"declares .* GB are free"):
        stacks[name].rows(0, 2**18, 0, 2**14)


@pytest.mark.parametrize(
    ("name", "shapes", "attributes", "read"),
    [
        ("region.h5", {"region": WIDE}, REGION, read_region),
        (
            "cracks.h5",
            {"matrix/sums_per_cm": WIDE, "matrix/counts": WIDE},
            {"width": 2, "voxel_size_um": 1.0, "top_um": 5.0},
            read_cracks,
        ),
        (
            "displacement.h5",
            {name: (MANY, 3) for name in ("node_um", "displacement_um", "fitted_um", "uncertainty_um", "gradient")},
            {},
            read_displacement,
        ),
    ],
    ids=["region", "cracks", "displacement"],
)
def test_what_an_earlier_state_left_is_refused_as_if_it_were_damaged(
    tmp_path: Path,
    name: str,
    shapes: dict[str, tuple[int, ...]],
    attributes: dict[str, Any],
    read: Callable[[Path], Any],
) -> None:
    declare(tmp_path / name, shapes, **attributes)
    with pytest.raises(DeclaredSizeError, match=rf"{name}: .* declares "):  # a ValueError: whoever asks catches it
        read(tmp_path)
