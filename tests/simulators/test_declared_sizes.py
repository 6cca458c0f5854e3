"""Recorded scans that declare more than they hold are refused when they are opened."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from simulators.recorded_data import RecordedScanError
from simulators.recorded_scan import load_recorded_scan
from tests.support.declared_files import MANY, WIDE, declare, declared_tiff, is_refusal

STACKS = ("exchange/data", "exchange/data_white", "exchange/data_dark")
SMALL = {**dict.fromkeys(STACKS, (9, 4, 4)), "exchange/theta": (9,)}


def refusal(path: Path) -> str:
    with pytest.raises(RecordedScanError) as caught:
        load_recorded_scan(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("exchange/data", WIDE),
        ("exchange/data", (MANY, 4, 4)),
        ("exchange/data_white", WIDE),
        ("exchange/data_dark", (2**20, 2**20)),
        ("exchange/theta", (MANY,)),
        ("measurement/instrument/monochromator/energy", (MANY,)),
    ],
)
def test_data_exchange(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    sentence = refusal(declare(tmp_path / "scan.h5", {**SMALL, name: shape}))
    assert is_refusal(sentence)
    assert f"/{name} (float32, shape {shape})" in sentence


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("entry/eye/data", WIDE),
        ("entry/eye/data", (MANY, 4, 4)),
        ("entry/eye/image_key", (MANY,)),
        ("entry/eye/image_key_control", (MANY,)),
        ("entry/cell/rotation_angle", (MANY,)),
    ],
)
def test_nxtomo(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    shapes = {
        "entry/eye/data": (9, 4, 4), "entry/eye/image_key": (9,), "entry/cell/rotation_angle": (9,), name: shape,
    }  # fmt: skip
    if shape[0] != 9 and "control" not in name:  # so that numbers agree
        shapes = {path: (shape[0], *found[1:]) for path, found in shapes.items()}
    if "control" in name:
        shapes["entry/eye/image_key"] = shape
    assert is_refusal(refusal(declare(tmp_path / "scan.nx", shapes)))


def test_links_that_lead_back_in_many_ways_are_followed_once(tmp_path: Path) -> None:
    path = declare(tmp_path / "scan.nx", {"entry/eye/other": (9,)})
    with h5py.File(path, "a") as file:
        for index in range(30):  # 30 ** 8 ways
            file[f"entry/eye/back_{index}"] = file["entry"]
    assert "no NXdetector" in refusal(path)


def test_tiffs(tmp_path: Path) -> None:
    for name in ("dark.tif", "flat.tif", "p0.tif"):
        declared_tiff(tmp_path / name)
    (tmp_path / "angles.txt").write_text("0\n90\n")
    assert is_refusal(refusal(tmp_path))


def test_a_file_of_angles_that_is_longer_than_any(tmp_path: Path) -> None:
    for name in ("dark.tif", "flat.tif", "p0.tif", "p1.tif"):
        tifffile.imwrite(tmp_path / name, np.zeros((4, 4), np.uint16))
    with (tmp_path / "angles.txt").open("wb") as file:
        file.truncate(10**11)
    assert "100000000000 bytes; no list of angles has more" in refusal(tmp_path)
