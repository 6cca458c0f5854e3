from __future__ import annotations

import contextlib
import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from operando.model.cell_log import CellLogReader
from operando.model.clock_track import ClockTrack
from tests.operando.guard.conftest import CALIBRATION
from tests.operando.guard.fake_beamline import CLOCK_DRIFT, CLOCK_OFFSET_S

if TYPE_CHECKING:
    from tests.operando.guard.conftest import World

DISCHARGE: dict[str, Any] = {"step": "discharge", "current_a": -90e-6, "until_voltage_v": 1.8, "max_duration_s": 60.0}


def test_pressure_is_force_over_the_bore_and_units_are_told(guarded: World) -> None:
    found = guarded.wait_state("OPEN_CIRCUIT")
    assert found["pressure"] == pytest.approx(735.1 / 28.274, abs=1e-2)  # N over mm2 of a 6 mm bore
    units = guarded.ask("describe")
    assert units["cell_voltage"] == "V"
    assert units["cell_charge"] == "mAh"
    assert units["cell_pressure"] == "MPa"


def test_a_command_with_a_wrong_token_is_refused(guarded: World) -> None:
    said = guarded.command("note", token="stolen", text="let me in")
    assert "refused" in said
    assert "guard.token" in said
    assert not guarded.events("note")


def test_an_id_that_leaves_no_room_for_an_answer_is_refused_and_the_guard_goes_on(guarded: World) -> None:
    before = guarded.ask("get")["heartbeat"]
    text = json.dumps({"id": "x" * 3950})  # its answer is longer than the waveform, however short the reason
    assert guarded.ask("send", text) == 1
    guarded.wait(lambda found: found["heartbeat"] > before + 1)
    assert guarded.command("note", token="stolen", text="still there?")


HOSTILE = [
    "[" * 3999,
    '{"a":' * 600 + "1" + "}" * 600,
    "9" * 3999,
    "\\ud800 \u00ff",
    json.dumps({"id": "h1", "token": "secret", "command": "note", "arguments": {"text": "\ud800"}}),
    json.dumps({"id": "h2", "token": "secret", "command": "set_sampling", "arguments": {"period_s": 10**400}}),
    json.dumps({"id": "h3", "token": "secret", "command": "\u0142" * 3000, "arguments": {}}),
    json.dumps({"id": "h4", "token": "secret", "command": "rest", "arguments": {"step": "\u03b1", "duration_s": 1e6}}),
]


def test_no_command_text_ends_the_guard(guarded: World) -> None:
    pid, before = guarded.ask("get")["pid"], guarded.ask("get")["heartbeat"]
    for text in HOSTILE:
        assert guarded.ask("send", text) == 1
    found = guarded.wait(lambda found: found["heartbeat"] > before + 1 and found["step"] == "?")
    assert found["pid"] == pid
    assert guarded.command("open_circuit", reason="enough") == "done"


def test_a_repeated_id_is_answered_and_not_done_again(guarded: World) -> None:
    assert guarded.command("note", identity="n1", text="once") == "done"
    assert guarded.command("note", identity="n1", text="once") == "done"
    assert [event["text"] for event in guarded.events("note")].count("once") == 1


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("dance", {}, "no command"),
        ("constant_current", DISCHARGE | {"until_voltage_v": 2.9}, "lies behind"),
        ("constant_current", DISCHARGE | {"current_a": 1.0}, "allowed"),
        ("constant_voltage", {"step": "x", "voltage_v": 4.0, "duration_s": 1.0}, "would trip"),
        ("rest", {"step": "x"}, "duration_s"),
        ("set_sampling", {"period_s": "soon"}, "number"),
        ("clear_trip", {"person": "A", "reason": "b"}, "no trip"),
    ],
)
def test_a_command_that_cannot_be_is_refused_with_its_reason(
    guarded: World, name: str, arguments: dict[str, Any], reason: str
) -> None:
    said = guarded.command(name, **arguments)
    assert "refused" in said
    assert reason in said


def test_every_instrument_is_connected_before_the_first_sample(guarded: World) -> None:
    guarded.wait_state("OPEN_CIRCUIT")
    for table in ("potentiostat", "load_cell", "temperature"):
        assert guarded.rows(table)[0]["quality"] == "OK", table


def test_a_step_runs_holds_and_ends_by_itself(guarded: World) -> None:
    assert guarded.command("constant_current", hold="constant_voltage", max_hold_s=1.0, **DISCHARGE) == "done"
    assert guarded.wait_state("RUNNING", "HOLDING")["step"] == "discharge"
    assert guarded.wait_state("HOLDING")["voltage"] == pytest.approx(1.8, abs=0.02)
    guarded.wait_state("STEP_ENDED")
    assert [event["text"] for event in guarded.events("step_ended")] == ["Step 'discharge' ended by itself."]


def test_the_log_is_continuous_and_published_rows_are_in_it(guarded: World) -> None:
    found = guarded.ask("get")
    rows = guarded.rows("potentiostat")
    assert [row["id"] for row in rows] == list(range(1, len(rows) + 1))
    times = [row["time_s"] for row in rows]
    assert times == sorted(times)
    assert max(later - earlier for earlier, later in pairwise(times)) < 2.0
    assert 0 < found["potentiostat_row"] <= len(rows)


def test_charge_is_the_integral_of_current(guarded: World) -> None:
    before = guarded.ask("get")["charge"]
    row = guarded.rows("potentiostat")[-1]
    pulse: dict[str, Any] = {"step": "pulse", "current_a": 50e-6, "until_voltage_v": 2.9, "max_duration_s": 2.0}
    assert guarded.command("constant_current", **pulse) == "done"
    guarded.wait_state("STEP_ENDED")
    after = guarded.rows("potentiostat")[-1]
    counted_mah = after["instrument_charge_mah"] - row["instrument_charge_mah"]
    assert counted_mah > 2e-5
    # The instrument's count is used where the technique changed; elsewhere the current is constant. Count and elapsed
    # time come one after the other: a reading between the two is off by up to a poll of 0.1 s.
    assert after["charge_mah"] - before == pytest.approx(counted_mah, abs=0.1 * 50e-6 / 3.6)


def test_a_second_guard_of_the_same_run_is_refused(guarded: World) -> None:
    second = guarded.start_guard()
    assert second.child.wait(20) == 2
    assert "has a guard already" in second.text


def test_a_missing_calibration_is_refused(tmp_path: Path, make_world: Any) -> None:
    world = make_world(tmp_path, calibration="")
    guard = world.start_guard()
    assert guard.child.wait(20) == 1
    assert "load_cell.calibration" in guard.text


def test_counts_beyond_full_scale_are_no_tare(tmp_path: Path, make_world: Any) -> None:
    world = make_world(tmp_path, calibration=f"tare_counts = 20001{CALIBRATION}")
    guard = world.start_guard()
    assert guard.child.wait(20) == 1
    assert "load_cell.tare_counts: 20001 counts cannot mean zero force, full scale is 2000 N" in guard.text


def test_force_is_that_above_the_tare_and_the_log_tells_it(tmp_path: Path, make_world: Any) -> None:
    world = make_world(tmp_path, calibration=f"tare_counts = 351{CALIBRATION}")
    world.start_ioc()
    world.start_guard().wait_ready()
    assert world.wait_state("OPEN_CIRCUIT")["pressure"] == pytest.approx(700.0 / 28.274, abs=1e-2)
    started = json.loads(world.events("guard")[0]["data"])
    assert started["tare_counts"] == 351
    assert started["tare_n"] == pytest.approx(35.1)


def test_a_missing_potentiostat_is_named(tmp_path: Path, make_world: Any) -> None:
    world = make_world(tmp_path)
    guard = world.start_guard()
    assert guard.child.wait(20) == 1
    assert "FAKE:C0:EWE" in guard.text


def test_the_potentiostats_clock_is_followed_by_what_arrives_and_samples_are_placed_by_it(guarded: World) -> None:
    found = guarded.wait(lambda found: found["clock_uncertainty"] < 0.01)  # s
    with contextlib.closing(CellLogReader(guarded.run.cell_log)) as log:
        fits, rows = log.clock_fits("potentiostat"), log.rows("potentiostat")
    begin_s = guarded.ask("read", "FAKE:BEGIN")
    elapsed_s = np.array([row["elapsed_s"] for row in rows])
    made_s = begin_s + (elapsed_s - CLOCK_OFFSET_S) / (1 + CLOCK_DRIFT)
    off_s = ClockTrack(fits).made_s(elapsed_s, [row["time_s"] for row in rows]) - made_s
    assert np.abs(off_s).max() < 0.02  # s, as promised
    assert all(abs(fit.drift - CLOCK_DRIFT) <= 3 * fit.drift_uncertainty for fit in fits)
    assert found["sample_time"] - 0.3 < found["made_time"] < found["sample_time"] + 0.1, "polls are 0.05 s apart"
