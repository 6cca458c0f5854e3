"""What faults look like to a client, each begun at a frame of one acquisition."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from operando.model import frames
from operando.model.json_lines import read_json_lines
from tests.simulators.conftest import running_beamline

Client = Callable[..., dict[str, Any]]
FAULTS = """
[[fault]]
kind = "lost_frames"
at = "projection 3"
num_frames = 2

[[fault]]
kind = "duplicated_frames"
at = "projection 10 of attempt 1"

[[fault]]
kind = "late_frame"
at = "projection 15"

[[fault]]
kind = "damaged_frames"
at = "projection 20"

[[fault]]
kind = "repeated_image"
at = "projection 25"

[[fault]]
kind = "beam_loss"
at = "projection 28"
duration = "1.2 s"
left = 0.4

[[fault]]
kind = "camera_stall"
at = "projection 35"
duration = "2 s"
"""


@pytest.fixture(scope="module")
def beamline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("faults")
    file = folder / "faults.toml"
    file.write_text(FAULTS)
    with running_beamline(folder / "beamline", faults_file=str(file)) as path:
        yield path


@pytest.fixture(scope="module")
def flown(beamline: Path, client: Client) -> dict[str, Any]:
    return client("fly.py", beamline, "0001_projection")


def test_lost_duplicated_and_late_frames_show_in_the_numbers_of_the_camera(flown: dict[str, Any]) -> None:
    expected = [1, 2, *range(5, 41)]
    expected.insert(expected.index(10), 10)
    where = expected.index(15)
    expected[where : where + 2] = [16, 15]
    assert flown["ids"] == expected
    assert flown["captured"] == 39


def test_damage_shows_in_the_image_only(beamline: Path, flown: dict[str, Any]) -> None:
    with h5py.File(beamline.parent / "0001_projection.h5") as file:
        ids, images = file[frames.FRAME_IDS][:], file[frames.IMAGES]
        damaged = images[int(np.flatnonzero(ids == 20)[0])]
        repeated = [images[int(np.flatnonzero(ids == number)[0])] for number in (25, 26)]
    assert damaged[0, 0] == 20
    assert not damaged[8:].any()
    assert np.array_equal(repeated[0], repeated[1])


def test_counts_of_a_frame_tell_how_much_beam_there_was(flown: dict[str, Any]) -> None:
    beam = {pixel[0]: pixel[2] for pixel in flown["pixels"]}
    # Frame 28 has just been exposed; 29 and 30 lie within the 1.2 s, 31 begins 0.1 s before and ends after their end.
    assert [beam[number] for number in (28, 29, 30, 32)] == [100, 40, 40, 100]


def test_a_stalled_camera_goes_on_later_than_the_stage_expects(flown: dict[str, Any]) -> None:
    times = dict(zip(flown["ids"], flown["times"], strict=True))
    assert times[36] - times[35] == pytest.approx(2.0, abs=1e-3), "exposures end after the stall instead of 0.5 s later"
    assert times[37] - times[36] == pytest.approx(0.5, abs=1e-6)


def test_what_was_done_is_written_down(beamline: Path, flown: dict[str, Any]) -> None:
    lines = read_json_lines(beamline.parent / "faults.jsonl")
    done = {line["id"]: line["frame_id"] for line in lines if line["event"] == "did"}
    assert done == {1: 4, 2: 10, 3: 15, 4: 20, 5: 26}
    events = [line["event"] for line in lines if line["id"] == 6]
    assert events == ["asked", "begun", "ended"]
    begun, ended = (line["time_s"] for line in lines if line["id"] == 6 and line["event"] != "asked")
    assert ended - begun == pytest.approx(1.2, abs=1e-6)
    assert json.dumps(lines[0]["at"]) == '{"kind": "projection", "number": 3, "attempt": null}'
