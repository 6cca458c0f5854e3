import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one session with the imaging devices found on a tiny simulated beamline; both in processes of their own."""
    folder, environment = tmp_path_factory.mktemp("beamline"), {**os.environ, "PYTHONPATH": str(ROOT)}
    beamline = subprocess.Popen(
        [sys.executable, "-u", str(ROOT / "tests/simulators/tiny_beamline.py"), str(folder)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, start_new_session=True,
    )  # fmt: skip
    assert beamline.stdout is not None
    said: list[str] = []
    try:
        for line in beamline.stdout:
            said.append(line)
            if line.startswith("READY"):
                break
        assert said[-1].startswith("READY"), "".join(said)
        threading.Thread(target=said.extend, args=(beamline.stdout,), daemon=True).start()  # a full pipe would block it
        session = subprocess.run(
            [sys.executable, str(Path(__file__).parent / "clients/imaging.py"), said[-1].split(maxsplit=1)[1].strip()],
            capture_output=True, text=True, timeout=60, env=environment, check=False,
        )  # fmt: skip
    finally:
        beamline.terminate()
        beamline.wait(10)
    assert session.returncode == 0, session.stdout + session.stderr + "".join(said)
    answer: dict[str, Any] = json.loads(session.stdout.splitlines()[-1])
    return answer


def test_a_device_that_does_not_connect_is_named_with_its_process_variables(found: dict[str, Any]) -> None:
    assert "absent: NOBODY:OPEN_CMD, NOBODY:CLOSE_CMD, NOBODY:STATUS did not connect" in found["absent"]
    assert found["connected_s"] < 3.0, "only what is used is connected"


def test_a_get_that_was_refused_when_the_circuit_broke_is_no_answer_and_later_ones_are_sent(
    found: dict[str, Any],
) -> None:
    # The second read waits for the answer of the refused one: pyepics's manner, and why they are forgotten.
    assert found["refused"] == ["CASeverityException", "ReadTimeoutError", "value", "none", "value"]


def test_a_stopped_move_is_an_error_that_says_where_it_stopped(found: dict[str, Any]) -> None:
    assert "was asked to go to 90, but it was stopped at" in found["stopped"]


def test_a_move_beyond_the_limits_and_a_region_beyond_the_chip_are_refused(found: dict[str, Any]) -> None:
    assert "outside of range" in found["limit"]
    assert "the chip has" in found["too_large"]
    assert found["position"] == pytest.approx(0.0, abs=0.02)


def test_a_tomogram_over_the_wire_is_complete_and_its_frames_lie_at_their_angles(found: dict[str, Any]) -> None:
    assert found["outcome"] == "complete", found["reason"]
    assert found["exit_status"] == ["success"]
    assert found["frames"]["written_projection"] == 36
    # 20 mdeg: the file's clock and the motor's ramp are exact, what remains is when the server got the two puts.
    assert found["angles"] == pytest.approx([5.0 * index for index in range(36)], abs=0.02)
    assert found["shutter"] == "closed"


def test_the_frames_tell_that_the_camera_and_the_rehearsal_have_one_clock(found: dict[str, Any]) -> None:
    behind_s, uncertainty_s = found["camera_clock"]
    assert behind_s == pytest.approx(0.0, abs=1e-4), "stamps are of mid-exposure, arrivals half an exposure later"
    assert 0 < uncertainty_s < 0.01


def test_darks_are_taken_with_the_shutter_closed_and_flats_with_it_open(found: dict[str, Any]) -> None:
    assert set(found["dark_open"]) == {0}
    assert set(found["flat_open"]) == {100}  # per cent of the beam


def test_the_stage_has_its_velocity_back_and_frames_were_declared_while_they_came(found: dict[str, Any]) -> None:
    assert found["velocity"] > 10.0
    assert found["num_datums"] > 3 * 4, "more than one declaration per file and data key"


def test_an_alignment_takes_dark_flat_and_a_half_turn_pair_and_leaves_the_beam_off(found: dict[str, Any]) -> None:
    is_open = {key: [opened for _, opened in frames] for key, frames in found["shots"].items()}
    assert is_open == {"dark": [0, 0], "flat": [100, 100], "first": [100, 100], "second": [100, 100]}
    # The frames say 100 x their angle; 0.02 deg for each move.
    assert [angle for angle, _ in found["shots"]["first"]] == pytest.approx([0, 0], abs=3)
    assert [angle for angle, _ in found["shots"]["second"]] == pytest.approx([18000, 18000], abs=3)
    assert found["moved_mm"] == 0, "the axis was said to be in the middle"
    assert found["shutter_after_shots"] == "closed"


def test_the_writer_is_told_that_its_file_is_read_while_it_grows(found: dict[str, Any]) -> None:
    assert found["swmr"] == 1
