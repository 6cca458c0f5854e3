"""Ctrl-C on a terminal asks once what to do; a second one means stop now."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.processes import SHORT, Rehearsal, stops
from tests.support.terminal import CTRL_C, TerminalRehearsal, on_a_terminal
from tests.system.test_ending import status

pytestmark = pytest.mark.timeout(150)
QUESTION_ENDS = "Ctrl-C again: stop now."


def num_frames(run: Rehearsal) -> int:
    return sum(document["indices"]["stop"] for name, document in run.documents() if name == "stream_datum")


def asked(run: TerminalRehearsal) -> None:
    """Press Ctrl-C and wait for the question."""
    num_questions = run.said().count(QUESTION_ENDS)
    run.types(CTRL_C)
    run.wait(lambda: run.said().count(QUESTION_ENDS) > num_questions, 20)


def states(run: Rehearsal) -> list[str]:
    return [event["text"] for event in run.rows("events") if event["kind"] == "state"]


def assert_safe_and_over(run: Rehearsal) -> None:
    assert run.left_running() == []
    assert "Traceback" not in run.said()
    assert "none" not in stops(run.documents()).values()
    assert states(run)[-1].endswith("OPEN_CIRCUIT")
    assert run.rows("potentiostat")[-1]["current_a"] == pytest.approx(0.0, abs=1e-9)


def outcomes(run: Rehearsal) -> dict[str, str]:
    return {line["name"]: line["outcome"] for line in run.schedule() if line["event"] == "outcome"}


def test_a_person_lets_the_run_go_on_and_later_has_it_finish_a_tomogram(tmp_path: Path) -> None:
    with on_a_terminal(tmp_path / "run") as run:
        run.wait(lambda: num_frames(run) > 0)
        asked(run)
        seen = num_frames(run)
        run.wait(lambda: num_frames(run) > seen, 20)
        assert run.said().rstrip().endswith(QUESTION_ENDS)  # the line that moves waits too
        run.types("what?\n")
        run.wait(lambda: "Please answer with one letter" in run.said(), 10)
        run.types("g\n")
        run.wait(lambda: run.began("tomogram", "D1.9V"))
        asked(run)
        run.types("f\n")
        assert run.exit_code(60) == 130
        assert stops(run.documents()) == {"experiment": "abort", "OCV": "success", "D1.9V": "success"}
        assert outcomes(run) == {"OCV": "complete", "rest": "complete", "D1.9V": "complete", "discharge": "aborted"}
        assert_safe_and_over(run)


def asked_twice(run: TerminalRehearsal) -> None:
    asked(run)
    run.types(CTRL_C)


@pytest.mark.parametrize("stop", [asked_twice, TerminalRehearsal.loses_its_terminal])
def test_stop_now_does_not_wait_for_the_tomogram(tmp_path: Path, stop: Callable[[TerminalRehearsal], None]) -> None:
    with on_a_terminal(tmp_path / "run") as run:
        run.wait(lambda: num_frames(run) > 0)
        stop(run)
        assert run.exit_code(40) == 130
        assert stops(run.documents()) == {"experiment": "abort", "OCV": "abort"}
        assert outcomes(run) == {"OCV": "aborted", "rest": "aborted"}
        assert_safe_and_over(run)


def test_a_cell_left_cycling_is_ended_as_the_run_said(tmp_path: Path) -> None:
    with on_a_terminal(tmp_path / "run", SHORT, "--longest-alone", "8") as run:
        run.wait(lambda: run.began("step", "discharge") and run.rows("potentiostat")[-1]["current_a"] < -1e-6)
        asked(run)
        run.types("l\n")
        assert run.exit_code(60) == 130
        assert "none" not in stops(run.documents()).values()
        before = run.rows("potentiostat")[-1]
        run.wait(lambda: run.rows("potentiostat")[-1]["id"] >= before["id"] + 2, 20)
        after = run.rows("potentiostat")[-1]
        assert after["current_a"] == pytest.approx(before["current_a"], rel=1e-3)

        told = re.search(r"'kill (\d+)' brings the cell to open circuit", " ".join(run.said().split()))
        assert told is not None, run.said()
        assert int(told[1]) == run.pid("guard")
        os.kill(int(told[1]), signal.SIGTERM)
        run.wait(lambda: run.left_running() == [], 30)  # the simulated beamline by itself, 8 s after the guard
        assert_safe_and_over(run)


def test_an_interruption_while_the_processes_start_ends_them(tmp_path: Path) -> None:
    with on_a_terminal(tmp_path / "run") as run:
        run.wait(lambda: run.pid("guard") is not None)
        run.types(CTRL_C)
        run.wait(lambda: "Stopped. Everything is in" in run.said() or run.process.poll() is not None, 20)
        run.types(CTRL_C)  # while the interpreter ends
        assert run.exit_code(20) == 130
        assert "Stopped. Everything is in" in run.said()
        assert "ended before it began" in status(run.directory)
        assert "Traceback" not in run.said()
        assert run.left_running() == []
