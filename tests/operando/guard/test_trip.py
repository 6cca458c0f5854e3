from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.operando.guard.conftest import World

REST: dict[str, Any] = {"step": "rest", "duration_s": 600.0}


@pytest.fixture
def running(guarded: World) -> World:
    if guarded.ask("get")["trip"]:  # the instrument shows what is good again at its next poll
        guarded.wait(lambda _: guarded.command("clear_trip", person="A. Tester", reason="next test") == "done")
    assert guarded.command("rest", **REST) == "done"
    guarded.wait_state("RUNNING")
    return guarded


@pytest.mark.parametrize(
    ("variable", "bad", "good", "reason"),
    [
        ("ADDED_V", 2.0, 0.0, "voltage"),
        ("ADDED_V", float("nan"), 0.0, "NaN"),
        ("GARBAGE", 1, 0, "voltage is inf"),
        ("COUNTS", 12_000, 7351, "stack pressure"),
        ("COUNTS", 25_000, 7351, "full scale"),
        ("TEMPERATURE", 60.0, 25.0, "temperature"),
        ("SILENT", 1, 0, "load cell"),
        ("FROZEN", 1, 0, "potentiostat"),
    ],
)
def test_danger_opens_the_circuit_and_stays_latched(
    running: World, variable: str, bad: float, good: float, reason: str
) -> None:
    running.put(variable, bad)
    tripped = running.wait_state("TRIPPED", "UNSAFE")
    assert reason in tripped["trip"]
    said = running.command("rest", **REST)
    assert "refused" in said
    assert "tripped" in said
    assert "still there" in running.command("clear_trip", person="A", reason="b") or variable == "FROZEN"
    running.put(variable, good)
    running.wait_state("TRIPPED")
    assert running.ask("get")["trip"]
    assert "person" in running.command("clear_trip", reason="nobody")
    # The instrument shows what is good again at its next poll; until then the guard refuses.
    running.wait(lambda _: running.command("clear_trip", person="A. Tester", reason="looked at it") == "done")
    running.wait_state("OPEN_CIRCUIT")


def test_a_deaf_potentiostat_is_unsafe_until_it_obeys(running: World) -> None:
    running.put("DEAF", 1)
    running.put("ADDED_V", 2.0)
    running.wait_state("UNSAFE")
    assert running.events("unsafe")
    running.put("DEAF", 0)
    running.wait_state("TRIPPED")
    running.put("ADDED_V", 0.0)


def test_an_open_circuit_that_was_asked_for_is_commanded_until_the_instrument_obeys(running: World) -> None:
    running.put("DEAF", 1)
    assert "still shows RUN" in running.command("open_circuit", reason="a person stopped the run")
    assert "Open circuit was asked for (a person stopped the run)." in running.wait_state("UNSAFE")["trip"]
    running.put("DEAF", 0)
    running.wait_state("TRIPPED")  # nobody asked again
    assert running.rows("potentiostat")[-1]["current_a"] == 0
    assert running.command("open_circuit", reason="once more") == "done"
    assert running.command("clear_trip", person="A. Tester", reason="looked at it") == "done"


def test_a_silent_load_cell_is_stale(guarded: World) -> None:
    guarded.put("SILENT", 1)
    guarded.wait(lambda found: found["quality"] == "STALE")
    guarded.put("SILENT", 0)
    guarded.wait(lambda found: found["quality"] == "OK")


def test_the_log_tells_how_soon_the_stop_was_taken_and_seen(guarded: World) -> None:
    reactions = [json.loads(event["data"]) for event in guarded.events("safe")]
    assert len(reactions) >= 8
    for reaction in reactions:
        assert 0 < reaction["sent_after_s"] < reaction["taken_after_s"] < reaction["seen_after_s"]
    quickest = min(reactions, key=lambda reaction: float(reaction["taken_after_s"]))
    assert quickest["taken_after_s"] < 0.05  # what is promised; the others met a busy machine
    assert min(reaction["seen_after_s"] for reaction in reactions) < 0.5  # two polls of 0.1 s, and scheduling
    assert reactions[0]["num_attempts"] == 1


def test_a_violation_is_told_with_its_class_and_action(guarded: World) -> None:
    said = json.loads(guarded.events("limit")[0]["data"])
    assert said == {
        "quantity": "voltage",
        "limit_kind": "absolute",
        "class": "cell_danger",
        "action": "open_circuit",
    }
