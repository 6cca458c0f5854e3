"""Every kind of step, trigger and hold over the real wire, and what people ask of an experiment that runs."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from operando.model.experiment_file import load_experiment
from operando.model.frames import IMAGES, TIMES, FrameKind
from operando.model.run_directory import RunDirectory
from operando.session.check import simulated_beamline
from plans.check import check
from tests.support.processes import Rehearsal, rehearsal, stops

SCHEDULES = Path(__file__).with_name("schedules.toml")
WINDOW_V = 0.005  # default of a set voltage
NOISE_V = 0.0005  # five times what the simulated potentiostat shows
ACTIVE_MASS_G = 1.152e-3

pytestmark = pytest.mark.timeout(240)


def ask(run: Rehearsal, *request: str) -> None:
    command = [sys.executable, "-m", "operando.cli", "ask", str(run.directory), *request, "--person", "Ada"]
    asked = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert asked.returncode == 0, asked.stderr


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """The whole schedule, gone through once, with a note and a tomogram asked for on the way."""
    with rehearsal(tmp_path_factory.mktemp("schedules") / "run", SCHEDULES) as run:
        run.wait(lambda: run.began("tomogram", "S"))
        ask(run, "note", "the beam was fine")
        ask(run, "tomogram", "extra")
        run.exit_code(200)
        yield run


def tomograms(run: Rehearsal) -> dict[str, dict[str, Any]]:
    """Start document of each tomogram, with its readings of the cell under ``cell`` and its stop under ``stop``."""
    found: dict[str, dict[str, Any]] = {}
    uids: dict[str, dict[str, Any]] = {}
    for name, document in run.documents():
        if name == "start" and document["kind"] == "tomogram":
            uids[document["uid"]] = found[document["tomogram"]] = {**document, "cell": []}
        elif name == "descriptor" and document["run_start"] in uids:
            uids[document["uid"]] = uids[document["run_start"]]
        elif name == "event" and "cell_voltage" in document["data"]:
            uids[document["descriptor"]]["cell"].append(document["data"])
        elif name == "stop" and document["run_start"] in uids:
            uids[document["run_start"]]["stop"] = document
    return found


def events(run: Rehearsal, stream: str) -> list[dict[str, Any]]:
    names = {document["uid"]: document["name"] for name, document in run.documents() if name == "descriptor"}
    return [
        document["data"]
        for name, document in run.documents()
        if name in ("event", "event_page") and names[document["descriptor"]] == stream
    ]


def test_missed_set_voltages_open_no_run_and_the_exit_code_tells(ended: Rehearsal) -> None:
    assert ended.process.returncode == 1, ended.said()
    assert "missed: P2.35V, M1V, M0.8V" in ended.said()
    assert "Traceback" not in ended.said()
    assert ended.left_running() == []
    statuses = stops(ended.documents())
    assert statuses.pop("experiment") == "fail"
    names = ["S", "extra", "R_001", "E", "F2.1V", "O1.96V", "W1.85V", "W1.8V", "X1.7V", "V", "L", "L_cycle2"]
    assert statuses == dict.fromkeys(names, "success")
    reasons = {event["tomogram"]: event["reason"] for event in events(ended, "missed")}
    assert "passed before" in reasons["P2.35V"]  # the cell began below it
    assert "before 1 V were reached" in reasons["M1V"]  # after max_duration
    assert list(reasons) == ["P2.35V", "M1V", "M0.8V"]
    kinds = [event["kind"] for event in ended.rows("events")]
    assert "trip" not in kinds  # a step whose time is over does not end in its hold
    assert "limit_missed" not in kinds


def test_each_tomogram_says_how_it_was_synchronised_and_what_the_cell_did(ended: Rehearsal) -> None:
    found = tomograms(ended)
    assert {name: start["sync"] for name, start in found.items()} == {
        "S": "time", "extra": "request", "R_001": "time", "E": "end", "F2.1V": "firmware", "O1.96V": "firmware",
        "W1.85V": "software", "W1.8V": "software", "X1.7V": "free", "V": "time", "L": "time", "L_cycle2": "time",
    }  # fmt: skip
    assert {name: start["cycle"] for name, start in found.items() if name.startswith("L")} == {"L": 1, "L_cycle2": 2}
    for start in found.values():
        first, last = start["cell"]
        assert last["cell_sample_time"] > first["cell_sample_time"]
        for key in ("voltage", "current", "charge", "force", "pressure", "temperature"):
            assert first[f"cell_{key}"] == first[f"cell_{key}"]  # a number, not NaN
        assert start["stop"]["num_events"]["projection"] == start["num_projections"] == 20


def test_a_held_voltage_is_that_of_the_first_frame_and_at_open_circuit_that_of_the_stop(ended: Rehearsal) -> None:
    found = tomograms(ended)
    for name, target_v in (("F2.1V", 2.1), ("W1.8V", 1.8), ("X1.7V", 1.7)):
        assert found[name]["set_voltage_v"] == target_v
        assert found[name]["cell"][0]["cell_voltage"] == pytest.approx(target_v, abs=WINDOW_V)
    for name, target_v in (("O1.96V", 1.96), ("W1.85V", 1.85)):
        assert found[name]["stop_voltage_v"] == pytest.approx(target_v, abs=WINDOW_V)
        first, last = found[name]["cell"]
        assert first["cell_current"] == 0.0
        assert first["cell_voltage"] > target_v + 0.05  # V; 900 ohm x 69 uA are back at once
        assert last["cell_voltage"] > first["cell_voltage"] - NOISE_V  # and the rest of it comes slowly
        assert first["cell_charge"] == last["cell_charge"]
    assert found["X1.7V"]["stop_voltage_v"] is None  # a free step is not stopped


def test_a_free_step_cycles_on_during_its_tomogram_and_the_drift_is_recorded(ended: Rehearsal) -> None:
    start = tomograms(ended)["X1.7V"]
    first, last = start["cell"]
    current_a = -50e-3 * ACTIVE_MASS_G
    passed_mah = last["cell_charge"] - first["cell_charge"]
    seconds = last["cell_sample_time"] - first["cell_sample_time"]
    assert passed_mah == pytest.approx(current_a * 1e3 * seconds / 3600, rel=0.01)
    with h5py.File(RunDirectory(ended.directory).frames_file(start["attempt"], FrameKind.PROJECTION)) as frames:
        stamps_s = frames[TIMES][:]
    assert np.diff(stamps_s) == pytest.approx(np.full(19, 0.2), abs=1e-3)  # s; every frame has its own
    assert first["cell_sample_time"] <= stamps_s[0] + 1.0
    assert last["cell_sample_time"] >= stamps_s[-1] - 1.5  # s; a sample period and its grid
    begun = next(line for line in ended.schedule() if line["event"] == "intent" and line["name"] == "free")
    over = next(line for line in ended.schedule() if line["event"] == "outcome" and line["name"] == "free")
    rows = [row for row in ended.rows("potentiostat") if begun["time"] + 5 < row["time_s"] < over["time"] - 35]
    assert {row["technique_index"] for row in rows} == {0}
    assert all(row["current_a"] == pytest.approx(current_a, rel=0.01) for row in rows)


def test_charge_held_at_a_set_voltage_is_kept_apart(ended: Rehearsal) -> None:
    measured = [
        document["data"]
        for name, document in map(json.loads, RunDirectory(ended.directory).results.read_text().splitlines())
        if name == "event" and document["data"].get("name") == "hold_charge"
    ]
    assert {entry["tomogram"] for entry in measured} >= {"F2.1V", "O1.96V"}
    held = {entry["tomogram"]: entry for entry in measured}
    assert held["F2.1V"]["value"] < 0
    assert abs(held["O1.96V"]["value"]) <= held["O1.96V"]["uncertainty"]


def test_samples_of_each_tomogram_come_with_row_ids(ended: Rehearsal) -> None:
    pages = [page for page in events(ended, "cell_samples") if isinstance(page["potentiostat_row"], list)]
    rows = {row["id"]: row for row in ended.rows("potentiostat")}
    assert len(pages) == len(tomograms(ended))
    for page in pages:
        ids = [int(row) for row in page["potentiostat_row"]]
        assert ids == list(range(ids[0], ids[0] + len(ids)))
        assert [rows[row]["voltage_v"] for row in ids] == page["voltage_v"]


def test_every_step_has_an_intent_before_and_an_outcome_after(ended: Rehearsal) -> None:
    for entry in ("step", "leg", "tomogram"):
        lines = [line for line in ended.schedule() if line.get("entry") == entry]
        outcomes = {line["name"]: line for line in lines if line["event"] == "outcome"}
        intents = {line["name"]: line for line in lines if line["event"] == "intent"}
        for name, intent in intents.items():
            assert outcomes[name]["time"] >= intent["time"]
        assert {n for n, line in outcomes.items() if n not in intents} == (
            {"P2.35V", "M1V", "M0.8V"} if entry == "tomogram" else set()
        )


def test_a_persons_wishes_are_done_and_answered(ended: Rehearsal) -> None:
    answers = {line["what"]: line["answer"] for line in ended.schedule() if line["event"] == "request_done"}
    assert answers == {"note": "written into the cell's log", "tomogram": "taken as extra: complete"}
    notes = [event["text"] for event in ended.rows("events") if event["kind"] == "note"]
    assert notes == ["Ada: the beam was fine"]


def test_the_timeline_that_check_prints_is_what_happens(ended: Rehearsal) -> None:
    experiment = load_experiment(SCHEDULES)
    found = check(experiment, "quick", simulated_beamline(), disk_free_bytes=10**12)
    steps = {(event["step"], event["cycle"]): event for event in events(ended, "steps")}
    assert [(step.name, step.cycle) for step in found.timeline] == list(steps)
    for step in found.timeline:
        took_s = steps[step.name, step.cycle]["end_s"] - steps[step.name, step.cycle]["begin_s"]
        slack_s = (step.num_tomograms + 1) * 30.0  # MOVES_S of each tomogram is an assumption
        if step.name in ("default", "stopped", "seen", "seen_and_held", "free"):  # at most: ends at a voltage
            assert took_s <= step.duration_s + slack_s
        elif step.name != "passed":
            assert took_s == pytest.approx(step.duration_s, abs=slack_s)
    assert sum(step.num_tomograms for step in found.timeline) == len(tomograms(ended)) - 1 + 3  # extra; missed
    raw_bytes = 0
    for path in RunDirectory(ended.directory).frames.glob("*.h5"):
        with h5py.File(path) as frames:
            raw_bytes += frames[IMAGES].size * frames[IMAGES].dtype.itemsize
    num_planned = sum(step.num_tomograms for step in found.timeline)
    assert raw_bytes == found.raw_bytes * len(tomograms(ended)) // num_planned


def test_a_person_can_stop_the_experiment_after_the_present_tomogram(tmp_path: Path) -> None:
    with rehearsal(tmp_path / "run", SCHEDULES) as run:
        run.wait(lambda: run.began("tomogram", "S"))
        ask(run, "stop-after", "tomogram")
        assert run.exit_code(60) == 130, run.said()
        ended = stops(run.documents())
        assert ended.pop("experiment") == "abort"
        assert set(ended.values()) == {"success"}
        assert len(ended) <= 2  # the second one if the first was over before the request arrived
        assert run.rows("potentiostat")[-1]["current_a"] == 0.0
        assert run.left_running() == []
