import os
import shutil
from pathlib import Path

import pytest

from operando.model.run_directory import RunDirectory
from operando.monitor.reading.asked_experiment import AskedExperiment

CAMPAIGN = Path(__file__).parents[3] / "experiments" / "campaign.toml"


def test_the_experiment_is_read_with_its_steps(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    asked = AskedExperiment(run)
    asked.update(0)
    assert asked.experiment is None
    shutil.copy(CAMPAIGN, run.experiment)
    asked.update(0)
    assert asked.experiment is not None
    assert [step.name for _, step in asked.steps] == ["rest", "discharge"]


@pytest.mark.parametrize("text", ["", "[experiment]\nname = 'x'\n", "no toml", "[limits]\nmin_voltage = 3\n"])
def test_a_file_that_says_too_little_is_no_experiment_until_it_is_mended(tmp_path: Path, text: str) -> None:
    run = RunDirectory(tmp_path)
    asked = AskedExperiment(run)
    run.experiment.write_text(text)
    asked.update(0)
    assert asked.experiment is None
    shutil.copy(CAMPAIGN, run.experiment)
    asked.update(0)
    assert asked.experiment is not None


def test_a_damaged_file_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    shutil.copy(CAMPAIGN, run.experiment)
    asked = AskedExperiment(run)
    asked.update(0)
    run.experiment.write_bytes(b"\xff\x00")
    asked.update(0)
    assert (asked.experiment, asked.steps) == (None, [])


def test_a_schedule_that_a_person_changed_is_the_one_that_counts(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    shutil.copy(CAMPAIGN, run.experiment)
    asked = AskedExperiment(run)
    asked.update(0)
    run.edits.mkdir()
    run.edited_schedule("e.toml").write_text('[[schedule]]\nstep = "rest"\nname = "relax"\nduration = "1 h"\n')
    run.schedule.write_text('{"event": "request_done", "id": "1", "argument": "e.toml", "num_begun": 1}\n')
    asked.update(1)
    assert [step.name for _, step in asked.steps] == ["rest", "relax"]


def test_the_same_file_is_not_read_twice(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    shutil.copy(CAMPAIGN, run.experiment)
    asked = AskedExperiment(run)
    asked.update(0)
    status = run.experiment.stat()
    run.experiment.write_text("x" * status.st_size)
    os.utime(run.experiment, ns=(status.st_atime_ns, status.st_mtime_ns))
    asked.update(0)
    assert asked.experiment is not None
