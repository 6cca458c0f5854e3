"""What a person sees of a run that died, and the schedule that may take the place of what remains."""

import json
import shutil
from pathlib import Path

import pytest

from live_analysis.results import ResultsWriter, TomogramResults
from operando.model.clock import SystemClock
from operando.model.document_lines import read_documents
from operando.model.edited_schedule import edited, present_experiment
from operando.model.run_directory import RunDirectory
from operando.model.toml_file import FileFormatError
from operando.session.asked import Asked, write_asked
from operando.session.begun_steps import num_begun, steps_left
from operando.session.editing import keep_edit, taken_edit
from operando.session.resume import is_left_open
from operando.session.status import what_resume_would_do
from operando.session.unfinished import REASON
from simulators.beamline_file import Ports, beamline_text
from simulators.load_cell import calibration
from tests.support.laboratory import new_laboratory

SHORT = Path(__file__).parents[2] / "system" / "short.toml"
LATER = """
[[schedule]]
step = "rest"
name = "pause"
duration = "5 min"
tomograms = [{ name = "P", at = "end" }]
"""


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """A run whose rest is over, and whose discharge has begun."""
    run = RunDirectory(tmp_path / "run")
    run.processes.mkdir(parents=True)
    run.frames.mkdir()
    shutil.copy(SHORT, run.experiment)
    text = beamline_text(run.simulation, Ports(*range(12_001, 12_008)), full_scale_n=2000.0, calibration=calibration())
    run.beamline.write_text(text)
    write_asked(run, Asked("quick", rehearsal=True))
    lines = [("intent", "rest", {}), ("outcome", "rest", {"outcome": "complete"}), ("intent", "discharge", {})]
    for event, name, more in lines:
        add(run, event=event, entry="step", name=name, **more)
    return run


def add(run: RunDirectory, **line: object) -> None:
    with run.schedule.open("a") as file:
        file.write(json.dumps({"time": 1.0, **line}) + "\n")


def write(folder: Path, text: str) -> Path:
    path = folder / "later.toml"
    path.write_text(text)
    return path


def test_what_remains_is_replaced_and_what_has_begun_stays(run: RunDirectory, tmp_path: Path) -> None:
    name = keep_edit(run, write(tmp_path, LATER))
    assert name == "0001.toml"
    experiment = taken_edit(run, name, 2)
    assert [step.name for _, step in experiment.steps] == ["rest", "discharge", "pause"]
    add(run, event="request_done", id="1", what="edit", argument=name, answer="taken over", num_begun=2)
    assert [step.name for _, step in present_experiment(run).steps] == ["rest", "discharge", "pause"]
    assert steps_left(run, present_experiment(run)) == ["discharge", "pause"]
    assert num_begun(run, present_experiment(run)) == 2
    assert keep_edit(run, write(tmp_path, LATER.replace('"pause"', '"break"'))) == "0002.toml"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n", "schedule: is missing"),
        (LATER.replace('duration = "5 min"', 'duration = "5 V"'), "schedule.pause.duration"),
        (LATER.replace('name = "P"', 'name = "OCV"'), "tomogram 'OCV' is one of step 'rest', which has begun"),
        (LATER.replace("step = ", "steps = "), "schedule"),
        ("[[schedule", "is not valid TOML"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_as_a_new_one_is(
    run: RunDirectory, tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(FileFormatError, match=said.replace(".", r"\.")):
        keep_edit(run, write(tmp_path, text))
    assert not run.edits.exists()


def test_the_name_of_an_edit_cannot_lead_out_of_the_run(run: RunDirectory) -> None:
    with pytest.raises(FileFormatError, match="there is no such file"):
        edited(run, present_experiment(run), run.edited_schedule("../../etc/passwd"), num_begun=2)
    assert run.edited_schedule("../../etc/passwd").parent == run.edits


def test_status_says_what_a_resume_would_find_and_do(run: RunDirectory) -> None:
    assert what_resume_would_do(run) == [
        "The simulator is dead and would be started.",
        "The guard is dead and would be started.",
        "The analysis is dead and would be started.",
        "operando resume would go on with step discharge, the last one.",
    ]
    start = {"uid": "a", "time": 1.0, "kind": "experiment"}
    inner = {"uid": "b", "time": 1.0, "kind": "tomogram", "tomogram": "D1.9V", "attempt": 2}
    run.documents.write_text("".join(json.dumps(["start", doc]) + "\n" for doc in (start, inner)) + '["event", {"u')
    assert what_resume_would_do(run)[:2] == [
        "The experiment's run is open: it would be closed as failed, and another one would continue it.",
        "Attempt 2 at D1.9V was cut off: it would be closed as partial, with what is in its files.",
    ]
    assert is_left_open(run, rehearsal=True)
    add(run, event="outcome", entry="step", name="discharge", outcome="complete")
    assert what_resume_would_do(run)[-1].startswith("operando resume would go on with the end of the run")
    with run.documents.open("a") as file:
        file.write("\n" + json.dumps(["stop", {"uid": "c", "run_start": "a", "exit_status": "success"}]) + "\n")
    over = "Every step of the schedule is over; "
    assert what_resume_would_do(run) == [f"{over}operando resume would make what it lacks: D1.9V, the report."]
    ResultsWriter(run.results, SystemClock()).write(TomogramResults("D1.9V", 2, "b", (), failure="No frames."))
    run.report.mkdir()
    run.report_page.touch()
    assert what_resume_would_do(run) == [f"{over}there is nothing to resume."]


def test_a_torn_last_line_of_the_documents_does_not_keep_a_run_from_being_closed(tmp_path: Path) -> None:
    laboratory = new_laboratory(tmp_path)
    assert laboratory.run_until_killed(laboratory.clock.now() + 1005.0)
    with (tmp_path / "documents.jsonl").open("r+") as file:
        file.truncate(file.seek(0, 2) - 20)
    laboratory.clear_up()
    stops = [doc for name, doc in read_documents(tmp_path / "documents.jsonl") if name == "stop"]
    assert [stop["reason"].startswith(REASON) for stop in stops] == [True, True]
