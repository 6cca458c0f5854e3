from math import isnan
from typing import Any

import pytest

from operando.monitor.reading.run_ledger import PhaseCost, RunLedger

OUTCOME: dict[str, Any] = {
    "outcome": "partial",
    "expected_projection": 45,
    "acquired_projection": 45,
    "written_projection": 43,
    "dropped_projection": 2,
    "expected_flat": 10,
    "written_flat": 10,
    "dropped_flat": 0,
    "camera_clock_behind_s": 0.2,
    "camera_clock_uncertainty_s": 0.001,
    "camera_clock_drift_ppm": 12.0,
    "dead_time_phases": ["flats", "close"],
    "dead_time_clock_s": [9.0, 0.5],
    "dead_time_software_s": [0.25, 0.125],
}


def told() -> RunLedger:
    ledger = RunLedger()
    ledger.add_document("start", {"uid": "outer", "kind": "experiment", "time": 1.0})
    ledger.add_document("start", {"uid": "t", "kind": "tomogram", "tomogram": "OCV", "attempt": 3, "time": 10.0})
    ledger.add_document("descriptor", {"uid": "d", "name": "outcome", "run_start": "t"})
    ledger.add_document("descriptor", {"uid": "other", "name": "outcome", "run_start": "outer"})
    ledger.add_document("event", {"descriptor": "other", "data": {"outcome": "complete"}})
    ledger.add_document("event", {"descriptor": "d", "data": OUTCOME})
    ledger.add_document("stop", {"run_start": "t", "time": 40.0})
    ledger.add_document("stop", {"run_start": "outer", "time": 41.0})
    return ledger


def test_a_tomogram_accounts_for_its_frames_and_its_seconds() -> None:
    (entry,) = told().tomograms()
    assert (entry.attempt, entry.name, entry.outcome, entry.began_s, entry.ended_s) == (3, "OCV", "partial", 10.0, 40.0)
    assert entry.num_lost == 2
    assert entry.phases == (PhaseCost("flats", 9.0, 0.25), PhaseCost("close", 0.5, 0.125))
    assert (entry.clock_s, entry.software_s) == (9.5, 0.375)
    assert (entry.camera_behind_s, entry.camera_drift_ppm) == (0.2, 12.0)
    assert entry.waits_for_analysis


def test_frames_that_were_never_exposed_are_not_lost() -> None:
    ledger = told()
    given_up = {**OUTCOME, "acquired_projection": 20, "written_projection": 19, "dropped_projection": 1}
    ledger.add_document("event", {"descriptor": "d", "data": given_up})
    assert ledger.tomograms()[0].num_lost == 1


def test_first_and_all_values_are_told_apart_by_when_the_analysis_had_them() -> None:
    ledger = told()
    for uid, is_quick, time_s in (("q", True, 41.0), ("f", False, 55.0), ("later", True, 60.0)):
        ledger.add_result("start", {"uid": uid, "kind": "analysis", "raw_run": "t", "quick": is_quick})
        ledger.add_result("stop", {"run_start": uid, "time": time_s, "cost_s": {"analysis": 12.5}})
    (entry,) = ledger.tomograms()
    assert (entry.quick_s, entry.measured_s, entry.analysis_s) == (41.0, 55.0, 12.5)
    assert not entry.waits_for_analysis


def test_measurements_of_a_step_are_of_no_tomogram() -> None:
    ledger = told()
    ledger.add_result("start", {"uid": "s", "kind": "analysis", "raw_run": "outer", "quick": False})
    ledger.add_result("stop", {"run_start": "s", "time": 50.0, "cost_s": {}})
    (entry,) = ledger.tomograms()
    assert isnan(entry.measured_s)


@pytest.mark.parametrize(
    "damage", [{"outcome": "complete", "dead_time_phases": ["a"]}, {}, {"outcome": 1, "expected_flat": "x"}]
)
def test_an_account_that_cannot_be_understood_leaves_the_one_before(damage: dict[str, Any]) -> None:
    ledger = told()
    before = ledger.tomograms()
    with pytest.raises((KeyError, ValueError, TypeError)):
        ledger.add_document("event", {"descriptor": "d", "data": damage})
    assert ledger.tomograms() == before
