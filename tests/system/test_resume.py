"""After a kill of any process, or of all of them, ``operando resume`` ends the schedule where the cell really is."""

import os
import signal
from pathlib import Path

import pytest

from live_analysis.results import read_measurements
from operando.model.document_lines import read_documents
from operando.session.runs_so_far import runs_so_far
from operando.session.unfinished import REASON
from tests.support.processes import Rehearsal, rehearsal, stops
from tests.system.test_ending import status

CAMPAIGN = Path(__file__).parents[2] / "experiments" / "campaign.toml"
EVERYTHING = ("acquisition", "simulator", "guard", "analysis")


def complete(run: Rehearsal) -> list[str]:
    """Names of the tomograms that the schedule calls complete, in order."""
    return [
        line["name"]
        for line in run.schedule()
        if line["event"] == "outcome" and line["entry"] == "tomogram" and line["outcome"] == "complete"
    ]


def kill(run: Rehearsal, *roles: str) -> None:
    for role in roles:
        pid = run.pid(role)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    run.process.wait(60)


@pytest.mark.timeout(240)
def test_a_run_of_which_everything_was_killed_in_a_tomogram_and_again_in_a_leg_ends_with_every_tomogram(
    tmp_path: Path,
) -> None:
    with rehearsal(tmp_path / "run", CAMPAIGN) as run:
        run.wait(lambda: any(name == "stream_datum" for name, _ in run.documents()))
        kill(run, *EVERYTHING)
        assert "would go on with step rest" in status(run.directory)
        run.command("resume")
        run.wait(lambda: run.began("leg", "discharge/1.9") and run.rows("potentiostat")[-1]["current_a"] < -1e-6)
        kill(run, "acquisition")
        run.command("resume")
        assert run.exit_code(120) == 0, run.said()
        assert complete(run) == ["OCV", "D1.9V"]
        assert stops(run.documents()) == {"experiment": "success", "OCV": "success", "D1.9V": "success"}
        runs = runs_so_far(read_documents(run.directory / "documents.jsonl")).values()
        outer = [each for each in runs if not each.is_tomogram]
        assert [each.start.get("continues") for each in outer] == [None, outer[0].uid, outer[1].uid]
        assert [each.stop["reason"].startswith(REASON) for each in outer if each.stop] == [True, True, False]
        for each in runs:
            assert each.stop is not None
            assert each.stop["num_events"] == dict(each.num_events)
        cut_off = next(each for each in runs if each.is_tomogram)
        assert cut_off.outcome is not None
        assert cut_off.outcome["outcome"] == "partial"
        assert 1 <= cut_off.outcome["written_dark"] <= 5
        charges = [row["charge_mah"] for row in run.rows("potentiostat") if row["charge_mah"] is not None]
        assert charges == sorted(charges, reverse=True)  # of one cell: a discharge never gives charge back
        times = [row["time_s"] for row in run.rows("potentiostat")]
        assert times == sorted(times)
        assert run.left_running() == []
        assert "there is nothing to resume" in run.command("resume").said_at_end(0)

        measured = read_measurements(run.directory / "results.jsonl")
        (run.directory / "results.jsonl").unlink()  # as if the last of all had been killed before it measured
        (run.directory / "report" / "index.html").unlink()
        lacking = "OCV, D1.9V, rest, discharge, the report"
        assert f"operando resume would make what it lacks: {lacking}." in " ".join(status(run.directory).split())
        assert f"made now: {lacking}." in run.command("resume").said_at_end(0)
        again = read_measurements(run.directory / "results.jsonl")
        assert {(entry.tomogram, entry.name) for entry in again} == {(entry.tomogram, entry.name) for entry in measured}
        assert (run.directory / "report" / "index.html").is_file()
        assert run.left_running() == []


@pytest.mark.timeout(240)
def test_a_cell_that_tripped_with_its_lost_beamline_is_asked_for_before_the_run_goes_on(tmp_path: Path) -> None:
    with rehearsal(tmp_path / "run", CAMPAIGN) as run:
        run.wait(lambda: run.began("tomogram", "D1.9V"))
        kill(run, "simulator")
        assert run.exit_code(60) == 1, run.said()
        said = run.command("resume").said_at_end(2)
        assert "Not resumed: The guard tripped: The potentiostat" in said
        assert "operando ask RUN clear-trip" in said
        assert "cleared" in run.command("ask", "clear-trip", "its beamline is back").said_at_end(0)
        run.command("resume")
        assert run.exit_code(120) == 0, run.said()
        assert complete(run) == ["OCV", "D1.9V"]
        assert run.left_running() == []
