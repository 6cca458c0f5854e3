"""A recorded scan that is missing or damaged is refused before anything starts."""

import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
from rich.console import Console

from operando.session.errors import RequestError
from operando.session.replay import replay_scan

NUM, SHAPE = 6, (4, 8)
CONSOLE = Console(file=io.StringIO())


def data_exchange(path: Path, **changes: Any) -> Path:
    frames = np.random.default_rng(1).integers(200, 900, (NUM, *SHAPE)).astype(np.uint16)
    parts: dict[str, Any] = {
        "data": frames, "data_white": frames[:2] + 1000, "data_dark": frames[:2] // 100,
        "theta": np.linspace(0, 150, NUM),
    }  # fmt: skip
    with h5py.File(path, "w") as file:
        for name, values in {**parts, **changes}.items():
            file[f"exchange/{name}"] = values
    return path


def refusal(path: Path, folder: Path) -> str:
    with pytest.raises(RequestError) as caught:
        replay_scan(path, None, "deg", folder / "run", CONSOLE)
    assert not (folder / "run").exists()
    return str(caught.value)


def damaged(frame: int, value: float) -> np.ndarray[Any, Any]:
    frames = np.random.default_rng(1).uniform(200, 900, (NUM, *SHAPE))
    frames[frame] = value
    return frames


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"theta": np.array([0, 30, np.nan, 90, 120, 150])}, "the angle of projection 2 is nan"),
        ({"theta": np.array([b"a"] * NUM)}, "expected a number for each frame"),
        ({"theta": np.zeros(NUM)}, "all 6 projections have the same angle"),
        ({"theta": np.arange(NUM - 1.0)}, "6 projections but 5 angles"),
        ({"data_white": np.ones((2, 4, 7))}, "flats have 4 rows x 7 columns, projections 4 rows x 8 columns"),
        ({"data_dark": np.ones((0, *SHAPE))}, "no darks"),
        ({"data": np.ones(SHAPE)}, "the axes"),
        ({"data": damaged(3, np.nan)}, "projection 3 holds values that are not finite"),
        ({"data": damaged(4, 7.0)}, "projection 4 is blank"),
    ],
)
def test_a_scan_whose_parts_do_not_hold_together_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    path = data_exchange(tmp_path / "scan.h5", **changes)
    sentence = refusal(path, tmp_path)
    assert said in sentence
    assert str(path) in sentence


def test_half_a_file_is_refused(tmp_path: Path) -> None:
    path = data_exchange(tmp_path / "scan.h5")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "damaged or still being written" in refusal(path, tmp_path)


def test_half_a_picture_in_a_folder_is_refused_by_its_name(tmp_path: Path) -> None:
    scan = tmp_path / "scan"
    scan.mkdir()
    for name, level in [("dark", 10), ("flat", 900), *((f"projection_{index}", 500) for index in range(NUM))]:
        tifffile.imwrite(scan / f"{name}.tif", np.random.default_rng(2).integers(level, level + 9, SHAPE, np.uint16))
    np.savetxt(scan / "angles.txt", np.linspace(0, 150, NUM))
    broken = scan / "projection_3.tif"
    broken.write_bytes(broken.read_bytes()[:-20])
    sentence = refusal(scan, tmp_path)
    assert "projection_3.tif" in sentence
    assert "damaged" in sentence


@pytest.mark.parametrize("name", ["nothing", "empty_folder", "text.txt"])
def test_a_place_without_a_scan_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty_folder").mkdir()
    (tmp_path / "text.txt").write_text("hello", encoding="utf-8")
    assert name in refusal(tmp_path / name, tmp_path)
