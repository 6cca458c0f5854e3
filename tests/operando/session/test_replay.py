"""A recorded scan that is missing or damaged is refused before anything starts."""

import io
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
from rich.console import Console

from live_analysis.run_follower import TomogramRun
from operando.model.experiment_file import load_experiment
from operando.session.errors import RequestError
from operando.session.replay import replay_scan
from plans.tomogram_scan import scan_of
from simulators.recorded_scan import load_recorded_scan
from simulators.replay_experiment import replay_experiment

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
        ({"data_dark": np.full((2, *SHAPE), 5000)}, "are not brighter than darks (median 5000)"),
        ({"data": np.ones(SHAPE)}, "the axes"),
        ({"data": damaged(3, np.nan)}, "projection 3 holds values that are not finite"),
        ({"data": damaged(4, 7.0)}, "projection 4 is blank"),
        ({name: np.ones((NUM, 4, 0)) for name in ("data", "data_white", "data_dark")}, "4 rows x 0 columns"),
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


@pytest.mark.parametrize(
    ("pixel_size", "unit", "said"),
    [
        ("1 km", "deg", "a pixel size of 1e+09 um was given; allowed is 0.001 to 10000 um"),
        ("-2 um", "deg", "a pixel size of -2 um"),
        (None, "rad", "span 150 rad, 24 turns"),
    ],
)
def test_what_a_person_says_of_a_scan_must_be_possible(
    tmp_path: Path, pixel_size: str | None, unit: str, said: str
) -> None:
    with pytest.raises(RequestError, match=re.escape(said)):
        replay_scan(data_exchange(tmp_path / "scan.h5"), pixel_size, unit, tmp_path / "run", CONSOLE)


def test_a_folder_in_place_of_the_angles_is_refused(tmp_path: Path) -> None:
    for name in ("dark", "flat", "projection_1", "projection_2"):
        tifffile.imwrite(tmp_path / f"{name}.tif", np.ones(SHAPE, np.uint16))
    (tmp_path / "angles.txt").mkdir()
    assert "angles.txt: cannot be read" in refusal(tmp_path, tmp_path)


def test_a_picture_of_complex_numbers_is_refused(tmp_path: Path) -> None:
    for name in ("dark", "flat", "projection_1"):
        tifffile.imwrite(tmp_path / f"{name}.tif", np.ones(SHAPE, np.complex64))
    assert "real numbers" in refusal(tmp_path, tmp_path)


@pytest.mark.parametrize("name", ["nothing", "empty_folder", "text.txt"])
def test_a_place_without_a_scan_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty_folder").mkdir()
    (tmp_path / "text.txt").write_text("hello", encoding="utf-8")
    assert name in refusal(tmp_path / name, tmp_path)


@pytest.mark.parametrize(("pixel_size_um", "unknown"), [(None, ["pixel_size_um", "energy_kev"]), (2.5, ["energy_kev"])])
def test_what_only_fills_the_form_is_said_in_the_start_document_and_not_passed_on(
    tmp_path: Path, pixel_size_um: float | None, unknown: list[str]
) -> None:
    file = tmp_path / "replay.toml"
    file.write_text(replay_experiment(load_recorded_scan(data_exchange(tmp_path / "scan.h5")), pixel_size_um))
    start = dict(scan_of(load_experiment(file), "recorded").as_metadata())
    assert start["placeholders"] == unknown
    tomogram = TomogramRun(start)
    assert tomogram.said("pixel_size_um") == pixel_size_um
    assert tomogram.said("energy_kev") is None
    assert tomogram.said("num_projections") == NUM
