"""Stop now means: open circuit, camera idle, runs closed, nothing left running, exit code 130."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.processes import Rehearsal, rehearsal, stops


def in_discharge(run: Rehearsal) -> bool:
    return run.began("step", "discharge")


def in_tomogram(run: Rehearsal) -> bool:
    return any(name == "stream_datum" for name, _ in run.documents())


@pytest.mark.timeout(150)
@pytest.mark.parametrize(
    ("moment", "number"),
    [(in_discharge, signal.SIGINT), (in_tomogram, signal.SIGTERM)],
    ids=["SIGINT in a discharge", "SIGTERM in a tomogram"],
)
def test_stop_now_leaves_the_cell_safe_and_nothing_running(
    tmp_path: Path, moment: Callable[[Rehearsal], bool], number: signal.Signals
) -> None:
    with rehearsal(tmp_path / "run") as run:
        run.wait(lambda: bool(moment(run)))
        run.process.send_signal(number)
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
