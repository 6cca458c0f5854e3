from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.operando.guard.conftest import World


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
