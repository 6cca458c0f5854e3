from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Client = Callable[..., dict[str, Any]]
EPOCH_S = 1_700_000_000.0


def test_the_ophyd_classes_of_motor_camera_and_plugin_connect(beamline: Path, client: Client) -> None:
    answer = client("connect.py", beamline, "5")
    assert answer["missing"] == []
    assert answer["limited"], "a target beyond the soft limits is refused by the client"
    assert 5 <= answer["stopped_at"] < 100
    assert answer["target_after_stop"] == pytest.approx(answer["stopped_at"])
    assert EPOCH_S <= answer["stamp"] < EPOCH_S + 3600, "stamps are virtual time"


def test_a_fly_acquisition_writes_every_frame_with_its_angle(beamline: Path, client: Client) -> None:
    answer = client("fly.py", beamline, "0001_projection")
    assert answer["captured"] == 40
    assert answer["ids"] == list(range(1, 41))
    times = np.array(answer["times"])
    assert np.allclose(times, answer["begin_s"] + 0.5 * np.arange(40) + 0.2, atol=1e-6, rtol=0)
    # Trapezoid of 8 deg/s with ramps of 0.2 s: it loses half a ramp.
    expected = answer["start_deg"] + 8.0 * (times - answer["begin_s"] - 0.1)
    assert np.allclose(answer["angles"], expected, atol=1e-5, rtol=0), "2.4e-7 s of the clock's resolution at 8 deg/s"
    pixels = np.array(answer["pixels"])
    assert (np.diff(pixels[:, 0]) == 1).all()
    assert np.allclose(pixels[:, 1], 100 * np.array(answer["angles"]), atol=0.51, rtol=0)
    assert (pixels[:, 2] == 100).all(), "per cent of the beam: the shutter is open"
    assert 19.9 - 1e-6 <= answer["end_s"] - answer["begin_s"] <= 20.5 + 1e-6
    assert answer["error_status"] == 1
    assert "absent" in answer["error_message"]


def test_the_potentiostat_runs_a_pair_of_techniques(beamline: Path, client: Client) -> None:
    answer = client("potentiostat.py", beamline)
    assert answer["nothing_loaded"] < 0
    assert answer["error"] == 0
    rows = {row[0]: row[1:] for row in answer["rows"]}
    voltage, current, state, index, technique, _, _ = rows[9]
    assert voltage == pytest.approx(-0.01, abs=5e-4), "10 uA through 1 kOhm, 70 uV rms of noise"
    assert current == pytest.approx(-1e-5, abs=1e-8)
    assert (state, index, technique) == (1, 0, 155)
    voltage, current, state, index, technique, _, _ = rows[12]
    assert voltage == pytest.approx(0.02, abs=5e-4)
    assert (state, index, technique) == (1, 1, 101), "the second technique begins after 10 s"
    assert rows[75][2] == 0, "after 70 s the sequence is over"
    assert rows[75][6] - rows[9][6] == pytest.approx((60 * 2e-5 - 1 * 1e-5) / 3.6, rel=0.05), "charge in mAh"
    elapsed = {second: row[5] for second, row in rows.items()}
    assert elapsed[75] - elapsed[9] == pytest.approx(66.0, abs=1e-6), "the instrument's time goes on in STOP"


def test_two_beamlines_do_not_see_each_other(beamline: Path, second_beamline: Path, client: Client) -> None:
    assert client("move.py", beamline, "1") == {"position": 1.0}
    assert client("move.py", second_beamline, "3") == {"position": 3.0}
    assert client("move.py", beamline, "1") == {"position": 1.0}
