from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.operando.guard.conftest import World

REST: dict[str, Any] = {"step": "rest", "duration_s": 600.0}


@pytest.fixture
def running(guarded: World) -> World:
    if guarded.ask("get")["trip"]:
        assert guarded.command("clear_trip", person="A. Tester", reason="next test") == "done"
    assert guarded.command("rest", **REST) == "done"
    guarded.wait_state("RUNNING")
    return guarded


@pytest.mark.parametrize(
    ("variable", "bad", "good", "reason"),
    [
        ("ADDED_V", 2.0, 0.0, "voltage"),
        ("ADDED_V", float("nan"), 0.0, "NaN"),
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


def test_a_silent_load_cell_is_stale(guarded: World) -> None:
    guarded.put("SILENT", 1)
    guarded.wait(lambda found: found["quality"] == "STALE")
    guarded.put("SILENT", 0)
    guarded.wait(lambda found: found["quality"] == "OK")


def test_open_circuit_was_verified_within_two_polls(guarded: World) -> None:
    took_s = [
        float(re.findall(r'"host_time_to_verify_s": ([\d.e-]+)', event["data"])[0]) for event in guarded.events("safe")
    ]
    assert len(took_s) >= 7
    assert sorted(took_s)[0] < 0.5  # two polls of 0.1 s, and scheduling on a busy machine
