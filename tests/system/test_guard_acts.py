"""The guard's limits act in real runs: beside a living acquisition and after its death."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.support.other_client import impose_current
from tests.support.processes import SHORT, Rehearsal, rehearsal, stops

pytestmark = pytest.mark.timeout(150)
DANGEROUS_A = -2e-4  # the limit is 100 uA
LIVE_PERIOD_S = 1.0
NOTICED_S = 1.0  # what was asked before the death, and rows that the disk had not seen
TOO_LOW = '[limits]\nmin_stack_pressure = "25 MPa"'  # the cell relaxes to it within two hours


def trips(run: Rehearsal) -> list[str]:
    return [event["text"] for event in run.rows("events") if event["kind"] == "trip"]


def states(run: Rehearsal) -> list[str]:
    return [event["text"] for event in run.rows("events") if event["kind"] == "state"]


def tripped_at_open_circuit(run: Rehearsal) -> bool:
    last = run.rows("potentiostat")[-1]
    return states(run)[-1].endswith("TRIPPED") and last["current_a"] == pytest.approx(0.0, abs=1e-8)


def ask(run: Rehearsal, *words: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "operando.cli", "ask", str(run.directory), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def test_limits_act_without_acquisition_and_a_trip_outlives_its_guard_until_a_person_clears_it(tmp_path: Path) -> None:
    with rehearsal(tmp_path / "run") as run:
        run.wait(lambda: run.began("step", "discharge") and run.rows("potentiostat")[-1]["current_a"] < -1e-6)
        run.process.kill()
        run.process.wait()
        died_s = time.time()
        impose_current(run, DANGEROUS_A)
        run.wait(lambda: tripped_at_open_circuit(run), 30)
        assert len(trips(run)) == 1
        assert "A; allowed is -0.0001 to 0.0001 A" in trips(run)[0]

        def since() -> list[float]:
            return [row["time_s"] for row in run.rows("potentiostat") if row["wall_s"] > died_s + NOTICED_S]

        run.wait(lambda: len(since()) > 4, 20)
        assert max(np.diff(since())) < 2 * LIVE_PERIOD_S + 0.05  # one is left out while open circuit is verified

        first = run.pid("guard")
        assert first is not None
        os.kill(first, signal.SIGKILL)
        run.wait(lambda: run.pid("guard") is None, 10)
        code, said = ask(run, "clear-trip", "nobody there")
        assert code == 2
        assert "no guard of this run is alive" in said
        command = [sys.executable, "-m", "operando.cli", "guard", str(run.directory)]
        with (tmp_path / "guard.out").open("wb") as output:
            guard = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        run.wait(lambda: run.pid("guard") not in (None, first) and states(run)[-1] == "STARTING to TRIPPED", 30)
        assert len(trips(run)) == 1, "the old one"

        impose_current(run, DANGEROUS_A)
        run.wait(lambda: sum(event["kind"] == "safe" for event in run.rows("events")) == 3, 20)  # trip, restart, now
        code, said = ask(run, "clear-trip", "a mistake of another client", "--person", "Ada")
        assert (code, "cleared: The current is" in said) == (0, True), said
        cleared = next(event for event in run.rows("events") if event["kind"] == "trip_cleared")
        assert cleared["text"] == "Ada: a mistake of another client"
        code, said = ask(run, "clear-trip", "again")
        assert (code, "no trip to clear" in said) == (2, True), said
        guard.terminate()
        assert guard.wait(30) == 0


def assert_ended_by_a_trip(run: Rehearsal, said: str) -> None:
    assert run.exit_code(60) == 1, run.said()
    assert said in " ".join(run.said().split())
    assert "Traceback" not in run.said()
    assert stops(run.documents())["experiment"] == "fail"
    assert "none" not in stops(run.documents()).values()
    reasons = [document["reason"] for name, document in run.documents() if name == "stop"]
    assert said in reasons[-1]
    assert run.left_running() == []
    assert tripped_at_open_circuit(run)


def test_a_trip_in_a_tomogram_ends_it_and_the_run_with_the_reason(tmp_path: Path) -> None:
    with rehearsal(tmp_path / "run") as run:
        run.wait(lambda: any(name == "stream_datum" for name, _ in run.documents()))
        impose_current(run, DANGEROUS_A)
        assert_ended_by_a_trip(run, "A; allowed is -0.0001 to 0.0001 A")
        assert stops(run.documents())["OCV"] == "fail"


def test_a_trip_in_a_step_ends_the_run_with_the_reason(tmp_path: Path) -> None:
    text = SHORT.read_text().replace("[limits]", TOO_LOW)
    file = tmp_path / "low.toml"
    file.write_text(text.replace("../../experiments/", f"{SHORT.parents[2]}/experiments/"))
    with rehearsal(tmp_path / "run", file) as run:
        assert_ended_by_a_trip(run, "MPa; allowed is 25 to 35 MPa")
        assert stops(run.documents()) == {"experiment": "fail", "OCV": "success"}
