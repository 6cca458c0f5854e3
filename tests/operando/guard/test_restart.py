from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.operando.guard.conftest import World

CHARGE: dict[str, Any] = {"step": "charge", "current_a": 20e-6, "until_voltage_v": 2.9, "max_duration_s": 600.0}


def test_a_killed_guard_is_followed_by_one_that_adopts(fresh_world: World) -> None:
    world = fresh_world
    guard = world.start_guard().wait_ready()
    assert world.command("constant_current", identity="c1", **CHARGE) == "done"
    before = world.wait(lambda found: found["state"] == "RUNNING" and found["charge"] > 0)
    assert guard.end(signal.SIGKILL) == -signal.SIGKILL

    guard = world.start_guard().wait_ready()
    after = world.wait(lambda found: found["pid"] == guard.child.pid)
    assert after["state"] == "RUNNING"
    assert after["step"] == "charge"
    assert after["charge"] >= before["charge"]
    assert "'charge'" in world.events("adopted")[-1]["text"]
    ids = [row["id"] for row in world.rows("potentiostat")]
    assert ids == list(range(1, len(ids) + 1))
    assert world.command("constant_current", identity="c1", **CHARGE) == "done"
    assert len(world.events("step")) == 1  # the old answer, not a second start


def test_a_trip_outlives_the_guard(fresh_world: World) -> None:
    world = fresh_world
    guard = world.start_guard().wait_ready()
    world.put("TEMPERATURE", 60.0)
    world.wait_state("TRIPPED")
    guard.end(signal.SIGKILL)
    world.put("TEMPERATURE", 25.0)
    guard = world.start_guard().wait_ready()
    found = world.wait(lambda found: found["pid"] == guard.child.pid)
    assert found["state"] == "TRIPPED"
    assert "temperature" in found["trip"]
    assert world.ask("trip_after_a_short_change") == found["trip"]  # read whole, however long the text before was
    assert world.ask("trip_while_its_time_is_asked_for") == found["trip"]


def test_a_guard_killed_between_trip_and_open_circuit_is_followed_by_one_that_opens_it(fresh_world: World) -> None:
    world = fresh_world
    guard = world.start_guard().wait_ready()
    assert world.command("constant_current", **CHARGE) == "done"
    world.put("DEAF", 1)
    world.put("TEMPERATURE", 60.0)
    world.wait(lambda _: bool(world.events("trip")))
    guard.end(signal.SIGKILL)
    assert not world.events("safe")
    world.put("DEAF", 0)
    world.put("TEMPERATURE", 25.0)
    world.start_guard().wait_ready()
    found = world.wait_state("TRIPPED")
    assert "temperature" in found["trip"]
    assert len(world.events("safe")) == 1
    assert world.rows("potentiostat")[-1]["state"] == 0


def test_the_potentiostat_limits_the_pressure_where_the_force_is_wired_to_it(fresh_world: World) -> None:
    world = fresh_world
    text = world.run.beamline.read_text()
    wired = "poll_s = 0.1\nforce_input = {{ number = {}, volts = [0.0, 10.0], force_n = [0.0, 2000.0] }}"
    world.run.beamline.write_text(text.replace("poll_s = 0.1", wired.format(2)))
    guard = world.start_guard()
    assert guard.child.wait(20) == 1
    assert "has no AUX2" in guard.text
    world.run.beamline.write_text(text.replace("poll_s = 0.1", wired.format(1)))
    world.start_guard().wait_ready()
    assert world.command("constant_current", **CHARGE) == "done"
    (technique,) = json.loads(world.events("step")[0]["data"])["techniques"]
    assert technique["parameters"]["TEST3CONF"] == 37
    limit_v = 35.0 * 28.274 / 200  # 35 MPa on a bore of 6 mm, 200 N/V
    assert technique["parameters"]["TEST3VAL"] == pytest.approx(limit_v, abs=1e-3)
