"""Ctrl-C on a terminal asks once what to do; a second one means stop now."""

from collections.abc import Callable
from pathlib import Path

import pytest

from operando.model.run_directory import RunDirectory
from tests.support.processes import Rehearsal, stops
from tests.support.terminal import CTRL_C, END_OF_FILE, TerminalRehearsal, on_a_terminal

pytestmark = pytest.mark.timeout(150)


def in_tomogram(run: Rehearsal, name: str) -> bool:
    return run.began("tomogram", name) and any(name == "stream_datum" for name, _ in run.documents())


def asked(run: TerminalRehearsal) -> None:
    """Press Ctrl-C and wait for the question."""
    run.types(CTRL_C)
    run.wait(lambda: "Ctrl-C again: stop now." in run.said(), 20)


def assert_safe_and_over(run: Rehearsal) -> None:
    assert run.left_running() == []
    assert "Traceback" not in run.said()
    assert "none" not in stops(run.documents()).values()
    states = [event["text"] for event in run.rows("events") if event["kind"] == "state"]
    assert states[-1].endswith("OPEN_CIRCUIT")
    assert run.rows("potentiostat")[-1]["current_a"] == pytest.approx(0.0, abs=1e-9)


def test_the_tomogram_is_finished_before_the_run_stops_if_a_person_says_so(tmp_path: Path) -> None:
    with on_a_terminal(tmp_path / "run") as run:
        run.wait(lambda: in_tomogram(run, "OCV"))
        asked(run)
        run.types("what?\n")
        run.wait(lambda: "Please answer with one letter" in run.said(), 10)
        run.types("f\n")
        assert run.exit_code(60) == 130
        assert stops(run.documents()) == {"experiment": "abort", "OCV": "success"}
        assert not run.began("step", "discharge")
        assert_safe_and_over(run)
        outcomes = [(line["name"], line["outcome"]) for line in run.schedule() if line["event"] == "outcome"]
        assert outcomes == [("OCV", "complete"), ("rest", "aborted")]


def test_the_run_goes_on_to_its_end_if_a_person_says_so(tmp_path: Path) -> None:
    with on_a_terminal(tmp_path / "run") as run:
        run.wait(lambda: run.began("tomogram", "OCV"))
        asked(run)
        run.types("g\n")
        assert run.exit_code(90) == 0, run.said()
        assert stops(run.documents()) == {"experiment": "success", "OCV": "success", "D1.9V": "success"}


@pytest.mark.parametrize(
    "answer",
    [lambda run: run.types("s\n"), lambda run: run.types(CTRL_C), lambda run: run.types(END_OF_FILE)],
    ids=["s", "a second Ctrl-C", "end of file"],
)
def test_stop_now_does_not_wait_for_the_tomogram(tmp_path: Path, answer: Callable[[TerminalRehearsal], None]) -> None:
    with on_a_terminal(tmp_path / "run") as run:
        run.wait(lambda: in_tomogram(run, "OCV"))
        asked(run)
        answer(run)
        assert run.exit_code(40) == 130
        assert stops(run.documents()) == {"experiment": "abort", "OCV": "abort"}
        assert_safe_and_over(run)


def test_the_cell_cycles_on_under_its_guard_if_a_person_says_so(tmp_path: Path) -> None:
    with on_a_terminal(tmp_path / "run") as run:
        run.wait(lambda: run.began("step", "discharge") and run.rows("potentiostat")[-1]["current_a"] < -1e-6)
        asked(run)
        run.types("l\n")
        assert run.exit_code(60) == 130
        assert "none" not in stops(run.documents()).values()
        before = run.rows("potentiostat")[-1]
        run.wait(lambda: run.rows("potentiostat")[-1]["id"] >= before["id"] + 3, 20)
        after = run.rows("potentiostat")[-1]
        assert after["current_a"] == pytest.approx(before["current_a"], rel=1e-3)
        guard = run.pid("guard")
        assert guard is not None
        assert f"process {guard}" in run.said().replace("\r\n", " ")
        assert RunDirectory(run.directory).cell_log.exists()
