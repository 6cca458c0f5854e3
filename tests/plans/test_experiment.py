import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.shutter import ShutterState
from operando.model.frames import FrameKind
from operando.model.outcome import Outcome
from operando.model.run_directory import RunDirectory
from plans.report import Wishes
from tests.support.laboratory import DISCHARGE, Laboratory, new_laboratory


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    return new_laboratory(tmp_path)


def test_a_firmware_experiment_takes_each_tomogram_while_the_instrument_holds_and_ends_at_open_circuit(
    laboratory: Laboratory,
) -> None:
    end = laboratory.run()
    assert end.outcome is Outcome.COMPLETE, end.reason
    assert laboratory.runs() == {"OCV": "success", "D1.7V": "success", "D0.7V": "success", "outer": "success"}
    commands = [(name, arguments.get("until_voltage_v")) for name, arguments in laboratory.cell.commands]
    assert [c for c in commands if c[0] != "set_sampling"] == [
        ("rest", None), ("constant_current", 1.7), ("constant_current", 0.7), ("open_circuit", None),
    ]  # fmt: skip
    voltages = [event["cell_voltage"] for event in laboratory.events("cell")]
    assert voltages == pytest.approx([3.0, 3.0, 1.7, 1.7, 0.7, 0.7])


def test_sampling_is_fast_in_each_tomogram_and_slow_after_it_and_the_samples_come_with_row_ids(
    laboratory: Laboratory,
) -> None:
    laboratory.run()
    periods = [a["period_s"] for name, a in laboratory.cell.commands if name == "set_sampling"]
    assert periods == [10.0] + [1.0, 10.0] * 3
    pages = laboratory.events("cell_samples")
    assert len(pages) == 3
    for page in pages:
        rows = page["potentiostat_row"]
        assert rows == list(range(int(rows[0]), int(rows[0]) + len(rows)))
        assert len(rows) > 7


def test_every_step_and_tomogram_has_an_intent_before_and_an_outcome_after(laboratory: Laboratory) -> None:
    laboratory.run()
    lines = [(line["event"], line["name"]) for line in laboratory.journal() if line.get("entry") == "tomogram"]
    assert lines == [(event, name) for name in ("OCV", "D1.7V", "D0.7V") for event in ("intent", "outcome")]
    assert [line["attempt"] for line in laboratory.journal() if line.get("entry") == "tomogram"] == [1, 1, 2, 2, 3, 3]


def test_frames_of_an_attempt_that_the_journal_has_forgotten_are_never_written_over(laboratory: Laboratory) -> None:
    forgotten = RunDirectory(laboratory.folder).frames_file(4, FrameKind.DARK)
    forgotten.parent.mkdir(parents=True, exist_ok=True)
    forgotten.touch()
    laboratory.run()
    assert [line["attempt"] for line in laboratory.journal() if line.get("entry") == "tomogram"] == [5, 5, 6, 6, 7, 7]


@pytest.mark.parametrize("sync", ["software", "free"])
def test_the_plan_sees_the_crossing_itself_where_the_firmware_does_not(laboratory: Laboratory, sync: str) -> None:
    laboratory.cell.slope = 0.001  # 0.1 mV a second: a sample after the crossing lies in the window
    schedule = DISCHARGE.replace('"5000 s"', '"50000 s"').replace('voltage = "0.7 V" }', 'voltage = "0.75 V" }')
    end = laboratory.run(schedule, sync)
    assert end.outcome is Outcome.COMPLETE, end.reason
    first = [event["cell_voltage"] for event in laboratory.events("cell")][2::2]
    assert first == pytest.approx([1.7, 0.75], abs=0.005)  # V; the window of the file
    commands = [name for name, _ in laboratory.cell.commands]
    assert commands.count("constant_voltage") == (2 if sync == "software" else 0)
    assert commands.count("constant_current") == (3 if sync == "software" else 1)


def test_a_partial_tomogram_is_taken_once_more_while_the_cell_holds(laboratory: Laboratory) -> None:
    camera = laboratory.instruments.camera
    camera.lost[FrameKind.PROJECTION] = 1
    laboratory.clock.at(laboratory.clock.now() + 1015.0, lambda: camera.lost.clear())
    end = laboratory.run()
    assert [t.outcome for t in end.tomograms][:2] == [Outcome.PARTIAL, Outcome.COMPLETE]
    assert end.outcome is Outcome.COMPLETE
    assert [t.tomogram for t in end.tomograms] == ["OCV", "OCV", "D1.7V", "D0.7V"]


def test_a_set_voltage_that_is_never_reached_is_missed_and_opens_no_run(laboratory: Laboratory) -> None:
    end = laboratory.run(DISCHARGE.replace('"5000 s"', '"1500 s"'))
    assert end.outcome is Outcome.PARTIAL
    assert set(laboratory.runs()) == {"OCV", "D1.7V", "outer"}
    (missed,) = laboratory.events("missed")
    assert missed["tomogram"] == "D0.7V"
    assert laboratory.runs()["outer"] == "fail"


def test_a_trip_of_the_guard_ends_the_experiment_with_its_reason(laboratory: Laboratory) -> None:
    cell = laboratory.cell
    laboratory.clock.at(laboratory.clock.now() + 1500.0, lambda: cell.trip_now("stack pressure 36 MPa"))
    end = laboratory.run()
    assert end.outcome is Outcome.FAILED
    assert "stack pressure 36 MPa" in end.reason
    assert laboratory.runs()["outer"] == "fail"


def test_a_repeated_tomogram_of_a_rest_is_taken_every_so_many_seconds(laboratory: Laboratory) -> None:
    schedule = '[[schedule]]\nstep = "rest"\nname = "rest"\nduration = "100 s"\n'
    end = laboratory.run(schedule + 'tomograms = [{ name = "R", every = "30 s" }]\n')
    assert end.outcome is Outcome.COMPLETE
    assert [t.tomogram for t in end.tomograms] == ["R_001", "R_002", "R_003"]
    starts = [doc for name, doc in laboratory.documents if name == "start" and doc["kind"] == "tomogram"]
    assert [doc["attempt"] for doc in starts] == [1, 2, 3]


def test_a_persons_request_is_taken_at_the_next_look_and_answered(laboratory: Laboratory) -> None:
    request = {"time": 0, "event": "request", "id": "r1", "what": "tomogram", "argument": "extra", "person": "Ada"}
    stop = {"time": 0, "event": "request", "id": "r2", "what": "stop-after", "argument": "OCV", "person": "Ada"}
    (laboratory.folder / "schedule.jsonl").write_text(json.dumps(request) + "\n" + json.dumps(stop) + "\n")
    end = laboratory.run()
    assert [t.tomogram for t in end.tomograms] == ["extra", "OCV"]
    assert end.outcome is Outcome.ABORTED
    assert laboratory.runs()["outer"] == "abort"
    answers = [line for line in laboratory.journal() if line["event"] == "request_done"]
    assert {line["id"] for line in answers} == {"r1", "r2"}


def test_a_wish_to_leave_the_cell_running_leaves_the_technique_to_the_guard(laboratory: Laboratory) -> None:
    laboratory.clock.at(laboratory.clock.now() + 1500.0, laboratory.wishes.leave_cell_running)
    end = laboratory.run()
    assert end.outcome is Outcome.ABORTED
    assert "open_circuit" not in [name for name, _ in laboratory.cell.commands]
    assert laboratory.cell.state.get() == "RUNNING"


def test_an_unexpected_error_leaves_the_cell_at_open_circuit_and_both_runs_failed(laboratory: Laboratory) -> None:
    def broken() -> float:
        if laboratory.clock.now() > 2005.0:
            raise ZeroDivisionError("on purpose")
        return 200.0

    ring: Any = laboratory.instruments.ring_current
    ring.current_ma = broken
    with pytest.raises(ZeroDivisionError):
        laboratory.run()
    assert laboratory.cell.state.get() == "OPEN_CIRCUIT"
    assert laboratory.instruments.shutter.state is ShutterState.CLOSED
    assert set(laboratory.runs().values()) == {"fail"}


def test_a_cell_that_nobody_can_open_in_the_end_is_no_success_though_all_tomograms_are(laboratory: Laboratory) -> None:
    laboratory.cell.is_gone = True
    left: list[bool] = []
    end = laboratory.run(left=left.append)
    assert (end.outcome, left) == (Outcome.FAILED, [False])
    assert end.reason == "the cell was not verified to be at open circuit: it does not answer"
    assert laboratory.runs() == {"OCV": "success", "D1.7V": "success", "D0.7V": "success", "outer": "fail"}


def test_an_error_does_not_hide_that_the_cell_was_left_unsafe(laboratory: Laboratory) -> None:
    def broken() -> float:
        raise ZeroDivisionError("on purpose")

    ring: Any = laboratory.instruments.ring_current
    ring.current_ma = broken
    laboratory.cell.is_gone = True
    said: list[str] = []
    left: list[bool] = []
    with pytest.raises(ZeroDivisionError):
        laboratory.run(tell=said.append, left=left.append)
    assert said[-1] == "Open circuit is not verified yet, it is tried once more: it does not answer"
    assert left == [False]
    assert laboratory.runs()["outer"] == "fail"


def test_a_ring_current_that_nobody_tells_for_a_while_is_waited_for(laboratory: Laboratory) -> None:
    begin_s = laboratory.clock.now()

    def silent_for_a_while() -> float:
        if 900.0 < laboratory.clock.now() - begin_s < 1300.0:
            raise TimeoutError("its server is being restarted")
        return 200.0

    ring: Any = laboratory.instruments.ring_current
    ring.current_ma = silent_for_a_while
    end = laboratory.run()
    assert end.outcome is Outcome.COMPLETE, end.reason
    taken = [line["time"] for line in laboratory.journal() if line["event"] == "intent" and line["name"] == "OCV"]
    assert [time_s - begin_s >= 1300.0 for time_s in taken] == [True]


def test_a_continued_run_repeats_no_tomogram_and_loses_none(laboratory: Laboratory) -> None:
    laboratory.clock.at(laboratory.clock.now() + 2500.0, laboratory.wishes.leave_cell_running)
    first = laboratory.run()
    laboratory.wishes = Wishes()
    second = laboratory.run(continues=first.uid)
    assert second.outcome is Outcome.COMPLETE, second.reason
    assert [t.tomogram for t in (*first.tomograms, *second.tomograms)] == ["OCV", "D1.7V", "D0.7V"]
    outer = [doc for name, doc in laboratory.documents if name == "start" and doc["kind"] == "experiment"]
    assert outer[1]["continues"] == first.uid
    commands = [a.get("until_voltage_v") for n, a in laboratory.cell.commands if n == "constant_current"]
    assert commands == [1.7, 0.7]  # the second leg was running and was adopted


def test_a_step_with_a_long_name_is_known_again_by_what_the_guard_tells_of_it(laboratory: Laboratory) -> None:
    schedule, put = DISCHARGE.replace('name = "discharge"', f'name = "{"d" * 64}"'), laboratory.cell.step.put
    laboratory.cell.step.put = lambda name: put(name[:39])  # an EPICS string holds no more
    laboratory.clock.at(laboratory.clock.now() + 2500.0, laboratory.wishes.leave_cell_running)
    first = laboratory.run(schedule)
    laboratory.wishes = Wishes()
    assert laboratory.run(schedule, continues=first.uid).outcome is Outcome.COMPLETE
    commands = [a.get("until_voltage_v") for n, a in laboratory.cell.commands if n == "constant_current"]
    assert commands == [1.7, 0.7]


def test_loops_number_the_tomograms_of_later_cycles(laboratory: Laboratory) -> None:
    schedule = (
        '[[schedule]]\nstep = "rest"\nname = "rest"\nduration = "20 s"\ntomograms = [{ name = "R", at = "end" }]\n'
        '[[schedule]]\nstep = "loop"\nname = "again"\nback_to = "rest"\ntimes = 2\n'
    )
    end = laboratory.run(schedule)
    assert [t.tomogram for t in end.tomograms] == ["R", "R_cycle2", "R_cycle3"]


def test_a_loop_within_a_loop_is_repeated_with_it_and_every_tomogram_has_its_own_name(laboratory: Laboratory) -> None:
    def rest(name: str) -> str:
        return (
            f'[[schedule]]\nstep = "rest"\nname = "{name}"\nduration = "20 s"\n'
            f'tomograms = [{{ name = "T{name}", at = "end" }}]\n'
        )

    def loop(name: str, back_to: str) -> str:
        return f'[[schedule]]\nstep = "loop"\nname = "{name}"\nback_to = "{back_to}"\ntimes = 1\n'

    end = laboratory.run(rest("a") + loop("again", "a") + rest("b") + loop("all", "a"))
    assert [t.tomogram for t in end.tomograms] == ["Ta", "Ta_cycle2", "Tb", "Ta_cycle3", "Ta_cycle4", "Tb_cycle2"]


@pytest.mark.parametrize("sync", ["firmware", "software", "free"])
def test_a_set_voltage_that_was_passed_before_its_step_is_missed(laboratory: Laboratory, sync: str) -> None:
    laboratory.cell.voltage.put(1.5)
    laboratory.cell.slope = 0.001
    end = laboratory.run(DISCHARGE.replace('"0.7 V" }', '"0.75 V" }').replace('"5000 s"', '"50000 s"'), sync)
    assert [t.tomogram for t in end.tomograms] == ["OCV", "D0.7V"]
    assert [(event["tomogram"], event["reason"][:30]) for event in laboratory.events("missed")] == [
        ("D1.7V", "1.7 V had been passed before: ")
    ]
    driven = [a["voltage_v"] for name, a in laboratory.cell.commands if name == "constant_voltage"]
    assert 1.7 not in driven  # nobody charges the cell back to it


@pytest.mark.parametrize("sync", ["firmware", "software", "free"])
def test_a_step_whose_time_is_over_ends_without_driving_the_cell_to_the_hold(laboratory: Laboratory, sync: str) -> None:
    end = laboratory.run(DISCHARGE.replace('"5000 s"', '"600 s"').replace('"0.7 V" }', '"0.75 V" }'), sync)
    assert end.num_missed == 2
    assert "missed: D1.7V, D0.7V" in end.reason
    states = [name for name, _ in laboratory.cell.commands if name in ("open_circuit", "constant_voltage")]
    assert states == (["open_circuit"] * 2 if sync == "firmware" else ["open_circuit"])
    bounds = [a["max_duration_s"] for name, a in laboratory.cell.commands if name == "constant_current"]
    assert bounds == [1200.0 if sync == "firmware" else 600.0]  # s; the plan ends a pair before its instrument does


def test_a_cell_stopped_at_open_circuit_reports_the_voltage_of_the_stop(laboratory: Laboratory) -> None:
    end = laboratory.run(DISCHARGE.replace('hold = "constant_voltage"', 'hold = "ocv"'))
    assert end.outcome is Outcome.COMPLETE, end.reason
    starts = {doc["tomogram"]: doc for name, doc in laboratory.documents if name == "start" and "tomogram" in doc}
    assert starts["OCV"]["stop_voltage_v"] is None
    assert starts["D1.7V"]["stop_voltage_v"] == pytest.approx(1.7, abs=0.002)  # V; 1 mV in each sample of 1 s


def test_of_a_leg_only_the_newest_samples_are_read_for_the_voltage_of_its_stop(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, newest_first = Counter[str](), laboratory.cell.newest_first

    def counted(row: int) -> Iterator[dict[str, Any]]:
        for sample in newest_first(row):
            read["samples"] += 1
            yield sample

    monkeypatch.setattr(laboratory.cell, "newest_first", counted)
    laboratory.run(DISCHARGE.replace('hold = "constant_voltage"', 'hold = "ocv"'))
    assert len(laboratory.cell.rows) > 400
    assert 0 < read["samples"] < 20


def test_a_software_stop_too_far_from_its_set_voltage_is_missed_at_open_circuit(laboratory: Laboratory) -> None:
    laboratory.cell.slope = 0.1  # 10 mV a second: the window of 5 mV is overshot
    end = laboratory.run(DISCHARGE.replace('hold = "constant_voltage"', 'hold = "ocv"'), "software")
    assert "D1.7V" in end.reason
    assert "not within 0.005 V" in laboratory.events("missed")[0]["reason"]


def test_stop_after_a_step_that_is_over_is_answered_and_changes_nothing(laboratory: Laboratory) -> None:
    request = {"time": 0, "event": "request", "id": "r1", "what": "stop-after", "argument": "rest", "person": "Ada"}
    path = laboratory.folder / "schedule.jsonl"

    def ask() -> None:
        path.write_text(path.read_text() + json.dumps(request) + "\n")

    laboratory.clock.at(laboratory.clock.now() + 1200.0, ask)
    end = laboratory.run()
    assert end.outcome is Outcome.COMPLETE, end.reason
    answers = [line["answer"] for line in laboratory.journal() if line["event"] == "request_done"]
    assert answers == ["step rest is over already; the experiment goes on"]


def test_every_tomogram_tells_how_far_the_cameras_clock_was_behind(laboratory: Laboratory) -> None:
    laboratory.run()
    outcomes = [event for event in laboratory.events("outcome") if "expected_dark" in event]  # not the experiment's
    told = [(event["camera_clock_behind_s"], event["camera_clock_uncertainty_s"]) for event in outcomes]
    assert told == [(0.25, 0.001)] * 3
