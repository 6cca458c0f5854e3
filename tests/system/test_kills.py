"""Any process may be killed at any moment; none of the others loses data or leaves the cell unattended."""

import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.support.processes import Rehearsal, rehearsal, stops

ROLES = ("acquisition", "analysis", "guard", "simulator")


def listening_addresses(pid: int | None) -> set[str]:
    """Where a process takes connections: UDP sockets, of which the EPICS libraries open wild ones, take none."""
    assert pid is not None
    connections = psutil.Process(pid).net_connections("tcp")
    return {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN}


def ended_first(pid: int | None) -> int:
    """How gladly the kernel ends a process when memory runs out."""
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


@pytest.mark.timeout(150)
def test_all_listen_on_loopback_only_and_the_guard_goes_on_without_the_acquisition(tmp_path: Path) -> None:
    with rehearsal(tmp_path / "run") as run:
        run.wait(lambda: run.began("step", "discharge") and run.rows("potentiostat")[-1]["current_a"] < -1e-6)
        assert {address for role in ROLES for address in listening_addresses(run.pid(role))} == {"127.0.0.1"}
        run.process.kill()
        run.process.wait()
        guard = run.pid("guard")
        assert guard is not None
        before = run.rows("potentiostat")[-1]
        run.wait(lambda: run.rows("potentiostat")[-1]["id"] >= before["id"] + 1, 60)
        after = run.rows("potentiostat")[-1]
        assert after["current_a"] == pytest.approx(before["current_a"], rel=1e-3)  # the technique goes on
        assert run.pid("guard") == guard


def kill_guard(run: Rehearsal) -> None:
    killed = run.pid("guard")
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    run.wait(lambda: run.pid("guard") not in (None, killed), 20)


@pytest.mark.timeout(200)
def test_a_killed_guard_is_back_and_has_adopted_the_technique(tmp_path: Path) -> None:
    with rehearsal(tmp_path / "run") as run:
        run.wait(lambda: run.began("step", "discharge"))
        kill_guard(run)  # while a command is on its way to it
        run.wait(lambda: run.rows("potentiostat")[-1]["current_a"] < -1e-6)
        kill_guard(run)
        assert run.exit_code(120) == 0, run.said()
        assert "guard died" in run.said()
        assert stops(run.documents()) == {"experiment": "success", "OCV": "success", "D1.9V": "success"}
        charges = [row["charge_mah"] for row in run.rows("potentiostat") if row["charge_mah"] is not None]
        assert charges == sorted(charges, reverse=True)  # a discharge never gives charge back


@pytest.mark.timeout(150)
def test_a_killed_analysis_is_back_and_measures_every_tomogram_once(tmp_path: Path) -> None:
    with rehearsal(tmp_path / "run") as run:
        run.wait(lambda: run.began("tomogram", "OCV"))
        analysis = run.pid("analysis")
        assert analysis is not None
        run.wait(lambda: ended_first(analysis) == 1000)
        assert {ended_first(run.pid(role)) for role in ROLES if role != "analysis"} == {ended_first(os.getpid())}
        os.kill(analysis, signal.SIGKILL)
        assert run.exit_code(120) == 0, run.said()
        from live_analysis.results import read_measurements

        measured = [entry.tomogram for entry in read_measurements(run.directory / "results.jsonl")]
        names = [entry for entry in measured if entry in ("OCV", "D1.9V")]
        found = read_measurements(run.directory / "results.jsonl")
        assert {"OCV", "D1.9V"} == set(names)
        assert len({(entry.tomogram, entry.name) for entry in found}) == len(found)


@pytest.mark.timeout(150)
def test_a_lost_beamline_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    with rehearsal(tmp_path / "run") as run:
        run.wait(lambda: run.began("step", "discharge"))
        simulator = run.pid("simulator")
        assert simulator is not None
        os.kill(simulator, signal.SIGKILL)
        assert run.exit_code(120) == 1, run.said()
        assert "Traceback" not in run.said()
        assert stops(run.documents())["experiment"] == "fail"
        assert run.left_running() == []
