"""The product's potentiostat device drives the simulated instrument over the wire."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Client = Callable[..., dict[str, Any]]
LIMIT_V = 2.0
CURRENT_A = -1e-4
HOLD_S = 600.0
POLLS_S = 4.0  # one poll of the server and one look of this client, before and after
NOISE_V = 5e-4  # 70 uV rms
ROUNDING_A = 1e-8  # a parameter is a number of 32 bits; the current has 1 nA rms of noise


def test_the_device_runs_a_current_to_its_limit_and_holds_it(beamline_with_cell: Path, client: Client) -> None:
    answer = client("potentiostat_device.py", beamline_with_cell, str(LIMIT_V))
    assert answer["loaded"] == "cplimit,ca"
    steps = answer["steps"] if isinstance(answer["steps"], list) else [answer["steps"]]
    assert steps == [pytest.approx(CURRENT_A, rel=1e-6)], "a waveform whose only element is the current"
    rows = [dict(zip(("second", "voltage", "current", "state", "index"), row, strict=True)) for row in answer["rows"]]
    discharging = [row for row in rows if row["state"] == "RUN" and row["index"] == 0]
    holding = [row for row in rows if row["state"] == "RUN" and row["index"] == 1]
    assert len(discharging) > 100, "the old third test did not end it"
    assert all(row["current"] == pytest.approx(CURRENT_A, abs=ROUNDING_A) for row in discharging)
    assert all(row["voltage"] > LIMIT_V - NOISE_V for row in discharging)
    assert discharging[-1]["voltage"] == pytest.approx(LIMIT_V, abs=5e-3), "the cell moves by less between two looks"
    assert all(row["voltage"] == pytest.approx(LIMIT_V, abs=NOISE_V) for row in holding)
    assert all(CURRENT_A - ROUNDING_A < row["current"] < 0 for row in holding)
    assert abs(holding[-1]["current"]) < 0.9 * abs(holding[0]["current"]), "the current of a hold decays"
    assert holding[-1]["second"] - holding[0]["second"] == pytest.approx(HOLD_S, abs=POLLS_S)
    assert rows[-1]["state"] == "STOP"
    assert answer["stopped"][1:3] == [0.0, "STOP"]

    assert "refused" in answer["refused"]
    assert "-4" in answer["refused"], "the library's code for bad parameters"
    assert answer["still_loaded"] == "cplimit,ca", "a refused sequence does not show as loaded"
    states = [(row[2], row[3]) for row in answer["second_rows"]]
    assert states == [("RUN", 0), ("RUN", 1), ("RUN", 2), ("STOP", 2)], "each of the two OCV has its own duration"

    assert "NOBODY:C0:SAVEDATA:SP and 19 more is not connected: nothing was written" in answer["gone"]
    assert answer["gone_s"] < 3.0, "one wait of 1 s for all that is missing: a guard looks at no limit meanwhile"
