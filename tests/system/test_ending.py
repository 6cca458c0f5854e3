"""A rehearsal whose acquisition was killed puts its cell into a safe state and ends by itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import SHORT, rehearsal


def status(directory: Path) -> str:
    """What ``operando status`` prints about a run, on one line."""
    command = [sys.executable, "-m", "operando.cli", "status", str(directory)]
    return " ".join(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split())


@pytest.mark.timeout(150)
def test_a_killed_rehearsal_ends_by_itself_with_the_cell_at_open_circuit(tmp_path: Path) -> None:
    with rehearsal(tmp_path / "run", SHORT, "--longest-alone", "4") as run:
        run.wait(lambda: run.began("step", "discharge") and run.rows("potentiostat")[-1]["current_a"] < -1e-6)
        living = {role: run.pid(role) for role in ("guard", "simulator", "analysis")}
        run.process.kill()
        run.process.wait()
        said = status(run.directory)
        assert "acquisition died" in said
        assert all(f"{role} ({pid})" in said for role, pid in living.items()), said

        run.wait(lambda: run.left_running() == [], 60)  # each 4 s after its last client: guard, then beamline
        events = run.rows("events")
        assert events[-1]["text"] == "Ended. Nobody has been connected for 4 s."
        assert [event["text"] for event in events if event["kind"] == "state"][-1].endswith("OPEN_CIRCUIT")
        assert run.rows("potentiostat")[-1]["current_a"] == pytest.approx(0.0, abs=1e-9)
        assert "│ died" in status(run.directory)
