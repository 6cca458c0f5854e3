"""A disk that takes nothing and says nothing: limits are looked at all the same, and nothing of the log is lost."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.operando.guard.conftest import a_world
from tests.support.freezing_disk import freezing_disk, frozen, why_none

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.operando.guard.conftest import World

PERIOD_S = 0.2  # of the samples in this world
FROZEN_SAMPLES = 15


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    if reason := why_none():
        pytest.skip(reason)
    try:
        with freezing_disk(tmp_path / "disk") as folder, a_world(folder) as made:
            yield made
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no disk can be mounted or frozen here ({error})")


def test_a_limit_trips_while_the_disk_stalls_and_the_log_has_all_of_it_afterwards(world: World) -> None:
    world.start_ioc()
    guard = world.start_guard().wait_ready()
    assert world.command("rest", step="rest", duration_s=600.0) == "done"
    world.wait_state("RUNNING")
    with frozen(world.run.path):
        before = world.ask("get")
        world.wait(lambda found: found["heartbeat"] >= before["heartbeat"] + FROZEN_SAMPLES)
        world.put("ADDED_V", 2.0)
        tripped = world.wait_state("TRIPPED")
        assert "voltage" in tripped["trip"]
        assert tripped["potentiostat_row"] < before["potentiostat_row"] + FROZEN_SAMPLES
    world.wait(lambda found: found["potentiostat_row"] >= before["potentiostat_row"] + FROZEN_SAMPLES)
    world.put("ADDED_V", 0.0)
    assert guard.end() == 0
    assert [len(world.events(kind)) for kind in ("trip", "safe", "log_late")] == [1, 1, 1]
    assert "Memory had room for all of it." in world.events("log_late")[0]["text"]
    times_s = [row["time_s"] for row in world.rows("potentiostat")]
    assert max(after - before for before, after in pairwise(times_s)) < 10 * PERIOD_S


def test_a_guard_that_ends_while_the_disk_stalls_leaves_a_whole_log_that_tells_of_it(world: World) -> None:
    world.start_ioc()
    guard = world.start_guard().wait_ready()
    with frozen(world.run.path):
        before = world.ask("get")
        world.wait(lambda found: found["heartbeat"] >= before["heartbeat"] + FROZEN_SAMPLES)
        for _ in range(2):
            guard.child.terminate()
        guard.wait_said("The guard waits for the disk")
        assert guard.child.poll() is None
    assert guard.end() == 0
    assert [event["text"].split()[0] for event in world.events("guard")] == ["Started.", "Ended."]
    assert len(world.events("log_late")) == 1
    times_s = [row["time_s"] for row in world.rows("potentiostat")]
    assert max(after - before for before, after in pairwise(times_s)) < 10 * PERIOD_S


def test_a_guard_whose_own_lines_lie_on_the_disk_that_stalls_goes_on(world: World) -> None:
    world.start_ioc()
    said = world.run.path / "guard.log"
    with said.open("w") as file:
        guard = world.start_guard(says_to=file)
    world.wait_state("OPEN_CIRCUIT")
    with frozen(world.run.path):
        assert world.command("note", text="said while the disk stalls") == "done"
        before = world.ask("get")
        world.wait(lambda found: found["heartbeat"] >= before["heartbeat"] + FROZEN_SAMPLES)
    assert guard.end() == 0
    assert [event["text"] for event in world.events("note")] == ["said while the disk stalls"]
    lines = said.read_text()
    assert lines.index("note: said while the disk stalls") < lines.index("guard: Ended.")
