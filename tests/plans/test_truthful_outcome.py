"""However an experiment ends, one word says it everywhere: event, stop document, journal, report and exit code."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from operando.model.document_lines import read_documents
from operando.model.frames import FrameKind
from operando.model.outcome import EXIT_STATUS, Outcome
from operando.model.run_directory import RunDirectory
from operando.session.errors import EXIT_CODE, EXIT_COMPLETE
from operando.session.report.story_reading import read_story
from operando.session.runs_so_far import runs_so_far
from tests.support.laboratory import Laboratory, new_laboratory


def disturb_nothing(laboratory: Laboratory) -> None:
    pass


def lose_frames(laboratory: Laboratory) -> None:
    laboratory.instruments.camera.lost[FrameKind.FLAT] = 1


def lose_beam(laboratory: Laboratory) -> None:
    ring: Any = laboratory.instruments.ring_current
    laboratory.clock.at(laboratory.clock.now() + 1500.0, lambda: setattr(ring, "value_ma", 0.0))


def trip(laboratory: Laboratory) -> None:
    laboratory.clock.at(laboratory.clock.now() + 1500.0, lambda: laboratory.cell.trip_now("stack pressure 36 MPa"))


def stop(laboratory: Laboratory) -> None:
    laboratory.clock.at(laboratory.clock.now() + 1500.0, laboratory.wishes.stop_now)


@pytest.mark.parametrize(
    ("disturb", "outcome", "tomograms"),
    [
        (disturb_nothing, Outcome.COMPLETE, ["complete", "complete", "complete"]),
        (lose_frames, Outcome.PARTIAL, ["partial"] * 6),
        (lose_beam, Outcome.PARTIAL, ["complete"]),
        (trip, Outcome.FAILED, ["complete"]),
        (stop, Outcome.ABORTED, ["complete"]),
    ],
)
def test_event_stop_document_journal_report_and_exit_code_agree(
    tmp_path: Path, disturb: Callable[[Laboratory], None], outcome: Outcome, tomograms: list[str]
) -> None:
    laboratory = new_laboratory(tmp_path)
    disturb(laboratory)
    laboratory.run_until_killed(1e9)
    runs = list(runs_so_far(read_documents(tmp_path / "documents.jsonl")).values())
    for run in runs:
        assert run.outcome is not None
        assert run.stop is not None
        assert run.stop["exit_status"] == EXIT_STATUS[Outcome(run.outcome["outcome"])]
        assert run.stop["reason"] == run.outcome["reason"]
        assert bool(run.outcome["reason"]) == (run.outcome["outcome"] != "complete")
        assert run.stop["num_events"] == dict(run.num_events)
    (outer,) = [run for run in runs if not run.is_tomogram]
    assert outer.outcome is not None
    assert outer.outcome["outcome"] == outcome
    assert [run.outcome["outcome"] for run in runs if run.is_tomogram and run.outcome] == tomograms
    told = {line["attempt"]: line for line in laboratory.journal() if line["event"] == "outcome" and "attempt" in line}
    story = read_story(RunDirectory(tmp_path))
    for run, shown in zip((run for run in runs if run.is_tomogram), story.tomograms, strict=True):
        assert run.outcome is not None
        line = told[run.start["attempt"]]
        assert line["outcome"] == shown.outcome == run.outcome["outcome"]
        assert line["reason"] == shown.reason == run.outcome["reason"]


def test_only_a_complete_experiment_has_the_exit_code_and_status_of_success() -> None:
    assert set(EXIT_CODE) == set(EXIT_STATUS) == set(Outcome)
    for outcome in Outcome:
        assert (EXIT_CODE[outcome] == EXIT_COMPLETE) == (EXIT_STATUS[outcome] == "success") == (outcome == "complete")
