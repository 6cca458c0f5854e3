from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

from tests.operando.guard.conftest import TIMEOUT_S

if TYPE_CHECKING:
    from tests.operando.guard.conftest import World

CHARGE: dict[str, Any] = {"step": "charge", "current_a": 20e-6, "until_voltage_v": 2.9, "max_duration_s": 600.0}


def test_a_beamlines_guard_stays_without_clients_and_without_its_terminal(fresh_world: World) -> None:
    world = fresh_world
    guard = world.start_guard("--longest-alone-s", "0.1").wait_ready()
    guard.child.send_signal(signal.SIGHUP)
    deadline_s = time.monotonic() + TIMEOUT_S
    while len(world.rows("potentiostat")) < 6:  # a period is 0.2 s
        assert guard.child.poll() is None, guard.text
        assert time.monotonic() < deadline_s, guard.text
    assert guard.end(signal.SIGTERM) == 0


def test_a_beamlines_guard_ends_without_the_technique_unless_told(fresh_world: World) -> None:
    world = fresh_world
    guard = world.start_guard().wait_ready()
    assert world.command("constant_current", **CHARGE) == "done"
    assert guard.end(signal.SIGTERM) == 0  # at a beamline the technique goes on
    guard = world.start_guard("--stop-cell").wait_ready()
    assert world.wait(lambda found: found["pid"] == guard.child.pid)["state"] == "RUNNING"
    assert guard.end(signal.SIGTERM) == 0
    assert world.events("open_circuit")
    assert not (world.run.processes / "guard.pid").exists()

    guard = world.start_guard().wait_ready()
    assert world.wait(lambda found: found["pid"] == guard.child.pid)["state"] == "OPEN_CIRCUIT"
