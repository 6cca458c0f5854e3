from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.operando.guard.conftest import World

ROOT = Path(__file__).parents[3]


def test_a_lost_potentiostat_is_unsafe_and_stopped_when_it_returns(fresh_world: World) -> None:
    world = fresh_world
    (server,) = world.processes
    world.start_guard().wait_ready()
    assert world.command("rest", step="rest", duration_s=600.0) == "done"
    server.end(signal.SIGKILL)
    found = world.wait_state("UNSAFE")
    assert found["quality"] == "DISCONNECTED"
    # The load cell died with it: whichever was asked first after the death trips.
    assert "has given nothing new" in found["trip"]
    world.wait(
        lambda _: any("The potentiostat has given nothing new" in each["text"] for each in world.events("limit"))
    )
    assert "refused" in world.command("clear_trip", person="A", reason="b")

    world.start_ioc()
    world.wait_state("TRIPPED")
    assert "at last" in world.events("safe")[-1]["text"]
    assert world.events("unsafe")


def test_a_potentiostat_that_was_frozen_for_a_while_can_be_stopped_again(fresh_world: World) -> None:
    (server,) = fresh_world.processes
    environment = os.environ | fresh_world.environment | {"EPICS_CA_CONN_TMO": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(Path(__file__).with_name("frozen_server.py")), str(server.child.pid), "FAKE:C0:STOP"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)
    assert said.stdout.split() == ["True", "True", "True"], said.stderr
