"""Without a terminal one SIGINT means stop now: open circuit, camera idle, runs closed, nothing left running, 130."""

import signal
from pathlib import Path

import pytest

from tests.support.processes import rehearsal, stops


@pytest.mark.timeout(150)
def test_stop_now_leaves_the_cell_safe_and_nothing_running(tmp_path: Path) -> None:
    with rehearsal(tmp_path / "run") as run:
        run.wait(lambda: run.began("step", "discharge"))
        run.process.send_signal(signal.SIGINT)
        assert run.exit_code(40) == 130
        assert run.left_running() == []
        assert "Traceback" not in run.said()
        ended = stops(run.documents())
        assert ended["experiment"] == "abort"
        assert "none" not in ended.values()
        states = [event["text"] for event in run.rows("events") if event["kind"] == "state"]
        assert states[-1].endswith("OPEN_CIRCUIT")
        last = run.rows("potentiostat")[-1]
        assert last["current_a"] == pytest.approx(0.0, abs=1e-9)
