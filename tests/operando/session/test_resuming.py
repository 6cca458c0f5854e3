"""An acquisition that is killed at any moment and resumed takes every tomogram once, or says that it was missed."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from operando.model.document_lines import read_documents
from operando.model.outcome import EXIT_STATUS, Outcome
from operando.session.runs_so_far import runs_so_far
from tests.support.laboratory import Laboratory, new_laboratory

NAMES = ["OCV", "D1.7V", "D0.7V"]
UNDISTURBED_S = 3_700.0  # of the schedule with its tomograms
OVERTAKEN = "the technique had ended by itself"


def overtaken(laboratory: Laboratory) -> set[str]:
    """Names of the tomograms whose set voltage the instrument reached while nobody lived who would have held it."""
    lines = [line for line in laboratory.journal() if line["event"] == "outcome" and line["entry"] == "tomogram"]
    return {line["name"] for line in lines if line["outcome"] == "missed" and line["reason"].startswith(OVERTAKEN)}


def outcomes(laboratory: Laboratory) -> dict[str, list[str]]:
    """Outcomes of each tomogram in the schedule's journal, in order."""
    found: dict[str, list[str]] = {}
    for line in laboratory.journal():
        if line["event"] == "outcome" and line["entry"] == "tomogram":
            found.setdefault(line["name"], []).append(line["outcome"])
    return found


def stops(laboratory: Laboratory) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Start and stop document of each run; each has one of both."""
    documents = read_documents(laboratory.folder / "documents.jsonl")
    starts = {doc["uid"]: doc for name, doc in documents if name == "start"}
    ended = [doc["run_start"] for name, doc in documents if name == "stop"]
    assert Counter(ended) == Counter(starts.keys())
    return [(starts[doc["run_start"]], doc) for name, doc in documents if name == "stop"]


def assert_told_truthfully(laboratory: Laboratory) -> None:
    runs = runs_so_far(read_documents(laboratory.folder / "documents.jsonl"))
    told = {line["attempt"]: line for line in laboratory.journal() if "attempt" in line and line["event"] == "outcome"}
    for start, stop in stops(laboratory):
        run = runs[start["uid"]]
        assert stop["num_events"] == dict(run.num_events)
        if run.is_tomogram:
            assert run.outcome is not None
            outcome = Outcome(run.outcome["outcome"])
            assert told[start["attempt"]]["outcome"] == outcome
            assert stop["exit_status"] == EXIT_STATUS[outcome]
            assert stop["reason"] == run.outcome["reason"] == told[start["attempt"]]["reason"]
    assert max(laboratory.instruments.camera.num_exposures.values()) == 1


def killed_and_resumed(folder: Path, kills: list[tuple[float, float]], sync: str) -> Laboratory:
    """Run the schedule to its end, killed at each time in s since its begin, and silent for so many s each time."""
    laboratory = new_laboratory(folder)
    begin_s, continues = laboratory.clock.now(), None
    for after_s, silent_s in sorted(kills):
        if after_s <= laboratory.clock.now() - begin_s:
            continue
        if not laboratory.run_until_killed(begin_s + after_s, sync=sync, continues=continues):
            return laboratory
        laboratory.clock.timer(laboratory.clock.now() + silent_s)
        continues = laboratory.clear_up()
    assert not laboratory.run_until_killed(1e9, sync=sync, continues=continues)
    return laboratory


@settings(max_examples=4)
@given(
    kills=st.lists(st.tuples(st.floats(0.0, UNDISTURBED_S), st.floats(0.0, 60.0)), min_size=1, max_size=3),
    sync=st.sampled_from(["firmware", "software"]),
)
@example(kills=[(1003.0, 10.0)], sync="firmware")  # in the darks of the first tomogram
@example(kills=[(2331.0, 30.0), (2340.0, 1.0)], sync="firmware")  # while the instrument holds 1.7 V
@example(kills=[(2345.0, 5.0)], sync="software")
@example(kills=[(3275.0, 60.0)], sync="software")  # until 0.7 V is over
def test_whoever_is_killed_and_soon_resumed_takes_what_an_undisturbed_run_takes_or_says_why_not(
    kills: list[tuple[float, float]], sync: str
) -> None:
    with TemporaryDirectory() as folder:
        laboratory = killed_and_resumed(Path(folder), kills, sync)
        missed = overtaken(laboratory) if sync == "software" else set()
        told = outcomes(laboratory)
        assert {name: found[-1] for name, found in told.items()} == {
            name: "missed" if name in missed else "complete" for name in NAMES
        }
        assert all(found.count("complete") == (name not in missed) for name, found in told.items())
        assert_told_truthfully(laboratory)


@pytest.mark.parametrize(("silent_s", "outcome"), [(10.0, "complete"), (60.0, "missed")])
def test_only_who_is_away_at_the_set_voltage_misses_it_and_only_where_no_firmware_holds_it(
    tmp_path: Path, silent_s: float, outcome: str
) -> None:
    for sync, expected in (("software", outcome), ("firmware", "complete")):
        folder = tmp_path / sync
        folder.mkdir()
        laboratory = killed_and_resumed(folder, [(3300.0, silent_s)], sync)  # 30 s before 0.7 V
        assert outcomes(laboratory) == {"OCV": ["complete"], "D1.7V": ["complete"], "D0.7V": [expected]}
