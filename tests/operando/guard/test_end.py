from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from operando.model.process_files import read_pid_files
from tests.operando.guard.conftest import POLL_S, TIMEOUT_S

if TYPE_CHECKING:
    from tests.operando.guard.conftest import Process, World

CHARGE: dict[str, Any] = {"step": "charge", "current_a": 20e-6, "until_voltage_v": 2.9, "max_duration_s": 600.0}


def test_a_beamlines_guard_stays_without_clients_and_without_its_terminal(fresh_world: World) -> None:
    world = fresh_world
    guard = world.start_guard("--longest-alone-s", "0.1").wait_ready()
    guard.child.send_signal(signal.SIGHUP)
    deadline_s, pause = time.monotonic() + TIMEOUT_S, threading.Event()
    while len(world.rows("potentiostat")) < 6:  # a period is 0.2 s
        assert guard.child.poll() is None, guard.text
        assert time.monotonic() < deadline_s, guard.text
        pause.wait(POLL_S)
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


def charging_under_a_deaf_potentiostat(world: World) -> Process:
    guard = world.start_guard("--stop-cell").wait_ready()
    assert world.command("constant_current", **CHARGE) == "done"
    world.put("DEAF", 1)
    guard.child.send_signal(signal.SIGTERM)
    found = world.wait_state("UNSAFE")
    assert "The guard ends." in found["trip"]
    assert world.command("note", text="still there?") == "done"
    return guard


def test_a_guard_that_is_not_obeyed_at_its_end_goes_on_until_it_is(fresh_world: World) -> None:
    world = fresh_world
    guard = charging_under_a_deaf_potentiostat(world)
    world.put("DEAF", 0)
    assert guard.child.wait(TIMEOUT_S) == 0, guard.text
    assert world.events("safe")
    assert world.rows("potentiostat")[-1]["current_a"] == 0


def test_a_second_signal_ends_a_guard_that_is_not_obeyed(fresh_world: World) -> None:
    guard = charging_under_a_deaf_potentiostat(fresh_world)
    assert guard.end(signal.SIGTERM) == 1
    assert "may still be connected" in fresh_world.events("guard")[-1]["text"]


def test_a_guard_whose_disk_takes_nothing_guards_and_writes_when_there_is_room(fresh_world: World) -> None:
    world = fresh_world
    room = world.run.path / "room"
    world.run.cell_log.symlink_to(room / "cell.sqlite")  # root, too, can write into no folder that is not there
    world.run.processes.mkdir(exist_ok=True)
    pid_file = world.run.processes / "guard.pid"
    pid_file.mkdir()
    guard = world.start_guard().wait_ready()
    assert "The log cannot be written" in guard.text
    assert "The run directory cannot be written" in guard.text
    assert world.command("rest", step="rest", duration_s=600.0) == "done"
    world.put("TEMPERATURE", 60.0)
    world.wait_state("TRIPPED")
    assert world.ask("get")["potentiostat_row"] == 0
    room.mkdir()
    world.wait(lambda found: found["potentiostat_row"] > 0)
    assert len(world.events("trip")) == 1  # which was when the log took nothing
    pid_file.rmdir()
    world.wait(lambda _: pid_file.is_file())
    assert [record.pid for record in read_pid_files(world.run.processes)] == [guard.child.pid]
    assert world.command("note", text="room at last") == "done"
    assert [event["text"] for event in world.events("note")] == ["room at last"]


def test_a_log_that_cannot_be_read_counts_as_one_of_a_tripped_cell(fresh_world: World) -> None:
    world = fresh_world
    world.run.cell_log.write_text("no database " * 100)
    world.start_guard().wait_ready()
    assert "cannot be read" in world.wait_state("TRIPPED")["trip"]
