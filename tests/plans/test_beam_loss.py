"""A beam that is lost at any moment: one complete data set, or a flagged partial one, or a missed one."""

from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from operando.model.outcome import Outcome
from tests.support.laboratory import Laboratory, new_laboratory

EXPECTED = {"dark": 2, "flat": 2, "projection": 10}
LATEST_S = 3_700.0  # of the whole schedule
MAX_HOLD_S = 600.0


def lose_beam(laboratory: Laboratory, after_s: float, lasts_s: float) -> None:
    ring: Any = laboratory.instruments.ring_current
    begin_s = laboratory.clock.now() + after_s
    laboratory.clock.at(begin_s, lambda: setattr(ring, "value_ma", 0.0))
    laboratory.clock.at(begin_s + lasts_s, lambda: setattr(ring, "value_ma", 200.0))


def attempts(laboratory: Laboratory) -> dict[str, list[dict[str, Any]]]:
    """Outcome events of each tomogram's attempts, in order."""
    names = {doc["uid"]: doc["tomogram"] for name, doc in laboratory.documents if name == "start" and "tomogram" in doc}
    streams = {
        doc["uid"]: names[doc["run_start"]]
        for name, doc in laboratory.documents
        if name == "descriptor" and doc["name"] == "outcome" and doc["run_start"] in names
    }
    found = defaultdict(list)
    for name, doc in laboratory.documents:
        if name == "event" and doc["descriptor"] in streams:
            found[streams[doc["descriptor"]]].append(doc["data"])
    return found


@settings(max_examples=6)
@given(after_s=st.floats(0.0, LATEST_S), lasts_s=st.sampled_from([1.0, 30.0, 200.0, 3_000.0]))
@example(after_s=1001.0, lasts_s=200.0)  # the darks of the first tomogram
@example(after_s=1004.0, lasts_s=3_000.0)  # its flats
@example(after_s=2321.0, lasts_s=200.0)  # the projections at 1.7 V, for less than the hold
@example(after_s=2321.0, lasts_s=3_000.0)  # for longer
def test_a_lost_beam_costs_no_truth_and_a_tomogram_only_if_its_window_is_over(after_s: float, lasts_s: float) -> None:
    with TemporaryDirectory() as folder:
        laboratory = new_laboratory(Path(folder))
        lose_beam(laboratory, after_s, lasts_s)
        end = laboratory.run()
        taken = attempts(laboratory)
        missed = [event["tomogram"] for event in laboratory.events("missed")]
        for name in ("OCV", "D1.7V", "D0.7V"):
            outcomes = [attempt["outcome"] for attempt in taken[name]]
            assert outcomes.count("complete") == (0 if name in missed else outcomes[-1] == "complete")
            assert "complete" not in outcomes[:-1]
            assert bool(outcomes) != (name in missed)  # flagged, or no run at all
            for attempt in taken[name]:
                frames = {kind: attempt[f"declared_{kind}"] for kind in EXPECTED}
                assert frames == {kind: attempt[f"written_{kind}"] for kind in EXPECTED}
                assert (frames == EXPECTED) == (attempt["outcome"] == "complete") or "beam" in attempt["reason"]
                assert attempt["outcome"] == "complete" or attempt["reason"]
        assert set(laboratory.instruments.camera.num_exposures.values()) == {1}  # of each attempt, one of each kind
        whole = [name for name, found in taken.items() if found and found[-1]["outcome"] == "complete"]
        assert (end.outcome is Outcome.COMPLETE) == (sorted(whole) == ["D0.7V", "D1.7V", "OCV"])
        if lasts_s < MAX_HOLD_S / 2:  # there is time to take each again
            assert end.outcome is Outcome.COMPLETE, end.reason
        assert laboratory.cell.state.get() == "OPEN_CIRCUIT"


def test_one_of_a_series_waits_for_the_beam_until_the_next_one_is_due(tmp_path: Path) -> None:
    laboratory = new_laboratory(tmp_path)
    lose_beam(laboratory, 95.0, 250.0)
    schedule = '[[schedule]]\nstep = "rest"\nname = "rest"\nduration = "450 s"\n'
    end = laboratory.run(schedule + 'tomograms = [{ name = "R", every = "100 s" }]\n')
    assert [event["tomogram"] for event in laboratory.events("missed")] == ["R_001", "R_002"]
    assert [tomogram.tomogram for tomogram in end.tomograms] == ["R_003", "R_004"]  # at 350 s, when it is back
    assert end.outcome is Outcome.PARTIAL


def test_a_voltage_that_nobody_knows_for_a_moment_closes_no_window(tmp_path: Path) -> None:
    laboratory = new_laboratory(tmp_path)
    voltage, known_v = laboratory.cell.voltage, []

    def lose() -> None:
        known_v.append(voltage.get())
        voltage.put(float("nan"))

    lose_beam(laboratory, 2325.0, 60.0)
    laboratory.clock.at(laboratory.clock.now() + 2330.0, lose)
    laboratory.clock.at(laboratory.clock.now() + 2340.0, lambda: voltage.put(known_v[0]))
    end = laboratory.run()
    assert [t.tomogram for t in end.tomograms] == ["OCV", "D1.7V", "D1.7V", "D0.7V"]
    assert end.outcome is Outcome.COMPLETE, end.reason
