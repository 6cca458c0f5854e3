"""The study as a person starts it: it goes on where it was interrupted and leaves no process behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from campaigns.rehearsal import RehearsalFailedError, rehearse

ROOT = Path(__file__).parents[2]


def wait(condition: Callable[[], object], timeout_s: float) -> None:
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def processes_of(folder: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(folder) in argument for argument in process.info["cmdline"] or [])
    ]


def test_an_interrupted_study_ends_its_rehearsal_and_says_how_to_go_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "campaigns.cells", "--count", "1", "--directory", str(tmp_path / "study")]
    study = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    )
    folder = tmp_path / "study" / "seed_1_cell_01"
    try:
        wait((folder / "running" / "processes" / "acquisition.pid").exists, 60)
        study.send_signal(signal.SIGINT)
        said, _ = study.communicate(timeout=40)
    finally:
        study.kill()
    assert study.returncode == 130
    assert "The same command goes on" in said
    assert not (folder / "run").exists()
    wait(lambda: not processes_of(tmp_path), 20)


def test_a_rehearsal_that_cannot_begin_leaves_its_reason_in_the_log(tmp_path: Path) -> None:
    experiment = tmp_path / "experiment.toml"
    experiment.write_text("[experiment]\n")
    with pytest.raises(RehearsalFailedError, match=r"exit code 2; .*rehearsal\.log says why"):
        rehearse(experiment, "quick", tmp_path / "run")
    assert "is missing" in (tmp_path / "rehearsal.log").read_text()
    assert not (tmp_path / "run").exists()
