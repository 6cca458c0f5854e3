import json
from pathlib import Path
from typing import Any

import pytest

from operando.model.experiment import Experiment
from operando.model.outcome import Outcome
from tests.support.laboratory import Laboratory, new_laboratory


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    return new_laboratory(tmp_path)


def ask(laboratory: Laboratory, what: str, argument: str = "", *, after_s: float = 0.0) -> None:
    """Ask as another process does, at a moment of the experiment."""
    request = {"time": 0, "event": "request", "id": f"{what} {argument}", "what": what, "argument": argument}

    def append() -> None:
        with (laboratory.folder / "schedule.jsonl").open("a") as file:
            file.write(json.dumps({**request, "person": "Ada"}) + "\n")

    if after_s:
        laboratory.clock.at(laboratory.clock.now() + after_s, append)
    else:
        append()


def answers(laboratory: Laboratory) -> list[str]:
    return [line["answer"] for line in laboratory.journal() if line["event"] == "request_done"]


def ends(laboratory: Laboratory) -> dict[str, str]:
    return {line["name"]: line["outcome"] for line in laboratory.journal() if line["event"] == "outcome"}


def test_the_step_under_way_is_skipped_with_its_tomograms_and_the_next_one_begins(laboratory: Laboratory) -> None:
    ask(laboratory, "skip", after_s=500.0)
    end = laboratory.run()
    assert answers(laboratory) == ["skips step rest"]
    assert {name: ends(laboratory)[name] for name in ("rest", "OCV", "discharge", "D1.7V", "D0.7V")} == {
        "rest": "missed", "OCV": "missed", "discharge": "complete", "D1.7V": "complete", "D0.7V": "complete",
    }  # fmt: skip
    assert (end.outcome, end.reason) == (Outcome.PARTIAL, "not every tomogram is complete; missed: OCV")
    assert [(event["tomogram"], event["reason"]) for event in laboratory.events("missed")] == [
        ("OCV", "Ada asked to skip step rest")
    ]
    (begun,) = [
        line["time"] for line in laboratory.journal() if line["event"] == "intent" and line["name"] == "discharge"
    ]
    assert begun - 1000.0 < 520.0  # s; at the next look after the request


def test_what_is_to_come_is_skipped_by_its_name_and_what_is_unknown_or_over_is_said(laboratory: Laboratory) -> None:
    for name in ("D1.7V", "nonsense"):
        ask(laboratory, "skip", name)
    ask(laboratory, "skip", "OCV", after_s=1500.0)
    laboratory.run()
    assert answers(laboratory) == [
        "Ada asked to skip D1.7V",
        "no step or tomogram to come is named nonsense; the experiment goes on",
        "no step or tomogram to come is named OCV; the experiment goes on",
    ]
    taken = {name: end for name, end in ends(laboratory).items() if name in ("OCV", "D1.7V", "D0.7V")}
    assert taken == {"OCV": "complete", "D1.7V": "missed", "D0.7V": "complete"}


def test_a_step_that_is_skipped_before_it_begins_never_begins(laboratory: Laboratory) -> None:
    ask(laboratory, "skip", "discharge")
    laboratory.run()
    assert not any(line["event"] == "intent" and line["name"] == "discharge" for line in laboratory.journal())
    assert {name: ends(laboratory)[name] for name in ("discharge", "D1.7V", "D0.7V")} == dict.fromkeys(
        ("discharge", "D1.7V", "D0.7V"), "missed"
    )
    assert "constant_current" not in [name for name, _ in laboratory.cell.commands]


def test_another_schedule_takes_the_place_of_what_has_not_begun(laboratory: Laboratory) -> None:
    asked: list[Any] = []

    def take(file: str, num_begun: int) -> Experiment:
        asked.append((file, num_begun))
        if file == "wrong.toml":
            raise ValueError("wrong.toml: schedule: is missing.")
        rest = laboratory.experiment.steps[0][1]
        named = rest.tomograms[0].model_copy(update={"name": "late"})
        later = rest.model_copy(update={"name": "later", "tomograms": (named,)})
        changed: Experiment = laboratory.experiment.model_copy(update={"schedule": (rest, later)})
        return changed

    ask(laboratory, "edit", "wrong.toml", after_s=100.0)
    ask(laboratory, "edit", "0001.toml", after_s=200.0)
    laboratory.run(take_edit=take)
    assert asked == [("wrong.toml", 1), ("0001.toml", 1)]
    assert answers(laboratory) == ["refused: wrong.toml: schedule: is missing.", "taken over; to come are later"]
    assert list(ends(laboratory)) == ["OCV", "rest", "late", "later"]


def test_a_wish_to_stop_outlives_the_acquisition_until_it_is_fulfilled(laboratory: Laboratory) -> None:
    ask(laboratory, "stop-after", "rest", after_s=100.0)
    assert laboratory.run_until_killed(laboratory.clock.now() + 500.0)
    laboratory.clear_up()
    assert laboratory.run().outcome is Outcome.ABORTED
    assert "discharge" not in ends(laboratory)
    laboratory.clear_up()
    assert laboratory.run().outcome is Outcome.COMPLETE


def test_a_tomogram_that_was_asked_for_is_taken_by_whoever_resumes_the_run(laboratory: Laboratory) -> None:
    ask(laboratory, "tomogram", after_s=100.0)
    assert laboratory.run_until_killed(laboratory.clock.now() + 107.0)
    assert answers(laboratory) == []
    laboratory.clear_up()
    laboratory.run()
    assert answers(laboratory) == ["taken as asked_0001: complete"]
    outcomes = [
        line["outcome"] for line in laboratory.journal() if line["event"] == "outcome" and line["name"] == "asked_0001"
    ]
    assert outcomes == ["partial", "complete"]


@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", "a" * 100, "\x1b[2J", "."])
def test_a_name_that_could_leave_the_run_directory_is_taken_from_no_line_of_the_journal(
    laboratory: Laboratory, name: str
) -> None:
    ask(laboratory, "tomogram", name, after_s=100.0)
    assert laboratory.run().outcome is Outcome.COMPLETE
    (answer,) = answers(laboratory)
    assert answer.startswith("not taken: ")
    assert "is no name" in answer
    assert set(laboratory.runs()) == {"OCV", "D1.7V", "D0.7V", "outer"}
