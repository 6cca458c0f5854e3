from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from bluesky import Msg, RunEngine
from bluesky.utils import RequestAbort, RunEngineInterrupted
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.shutter import ShutterState
from operando.model.frames import FrameKind
from operando.model.outcome import Outcome
from plans.instruments import Instruments
from plans.tomogram import TomogramEnd, TomogramName, tomogram
from plans.tomogram_scan import TomogramScan
from tests.support.fast_clock import FastClock
from tests.support.soft_beamline import soft_instruments

SCAN = TomogramScan(
    num_darks=3, num_flats=4, num_projections=20, exposure_s=0.5, frame_period_s=0.5, angle_range_deg=180.0,
    num_columns=8, num_rows=4, binning=1, pixel_size_um=1.0, energy_kev=35.0, sample_out_mm=12.0, num_flats_after=2,
)  # fmt: skip
NAME = TomogramName("D1.7V", 3, "discharge", 1, "firmware", 1.7)
Documents = list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def engine() -> RunEngine:
    engine = RunEngine(call_returns_result=True)
    engine.log.disabled = True
    return engine


def messages(clock: FastClock, instruments: Instruments) -> Any:
    return tomogram(
        instruments, clock, SCAN, NAME,
        file_of=lambda kind: Path(f"/frames/0003_{kind}.h5"), metadata={"outer_run": "abc", "rehearsal": True},
    )  # fmt: skip


def take(engine: RunEngine, clock: FastClock, instruments: Instruments) -> tuple[TomogramEnd, Documents]:
    documents: Documents = []
    result = engine(messages(clock, instruments), lambda name, doc: documents.append((name, doc)))
    return result.plan_result, documents


def only(documents: Documents, name: str) -> dict[str, Any]:
    (found,) = [doc for kind, doc in documents if kind == name]
    return found


def outcome_of(documents: Documents) -> dict[str, Any]:
    streams = {doc["uid"]: doc["name"] for name, doc in documents if name == "descriptor"}
    (event,) = [doc for name, doc in documents if name == "event" and streams[doc["descriptor"]] == "outcome"]
    data: dict[str, Any] = event["data"]
    return data


def test_a_complete_tomogram_declares_every_frame_of_each_kind_once_and_in_order(engine: RunEngine) -> None:
    clock = FastClock()
    instruments = soft_instruments(clock)
    end, documents = take(engine, clock, instruments)
    assert end.outcome is Outcome.COMPLETE, end.reason
    streams = {doc["uid"]: doc["name"] for name, doc in documents if name == "descriptor"}
    keys = {doc["uid"]: doc["data_key"] for name, doc in documents if name == "stream_resource"}
    declared: dict[tuple[str, str], list[int]] = defaultdict(list)
    for name, doc in documents:
        if name == "stream_datum":
            indices = range(doc["indices"]["start"], doc["indices"]["stop"])
            declared[streams[doc["descriptor"]], keys[doc["stream_resource"]]] += indices
    for kind, num in SCAN.num_frames.items():
        for key in ("camera_image", "camera_frame_time", "camera_frame_id", "camera_angle"):
            assert declared[kind.value, key] == list(range(num))
    assert only(documents, "stop")["exit_status"] == "success"
    assert only(documents, "stop")["num_events"]["cell"] == 2
    assert list(instruments.camera.num_exposures.values()) == [1, 1, 1, 1]
    assert instruments.shutter.state is ShutterState.CLOSED


def test_projections_begin_at_constant_velocity_so_that_each_is_centred_at_its_angle(engine: RunEngine) -> None:
    clock = FastClock()
    angles = SCAN.angles
    flight = soft_instruments(clock).rotation_stage.flight(angles)
    velocity, acceleration_s = flight.velocity_deg_s, 0.5
    for index in (0, 19):
        mid_s = flight.first_exposure_after_s + index * SCAN.frame_period_s + SCAN.exposure_s / 2
        angle_deg = flight.from_deg + velocity * (mid_s - acceleration_s / 2)
        assert angle_deg == pytest.approx(index * 9.0, abs=1e-9)


def test_the_dead_time_ledger_says_where_the_seconds_went(engine: RunEngine) -> None:
    clock = FastClock()
    _, documents = take(engine, clock, soft_instruments(clock))
    data = outcome_of(documents)
    spent = dict(zip(data["dead_time_phases"], data["dead_time_clock_s"], strict=True))
    assert spent["projections"] == pytest.approx(10.0, abs=0.5)  # 20 frames of 0.5 s, one look late
    assert spent["darks"] == pytest.approx(1.5, abs=0.5)


def test_a_sample_that_slips_while_projections_are_taken_gives_a_partial_tomogram(engine: RunEngine) -> None:
    clock = FastClock()
    instruments = soft_instruments(clock)
    clock.at(clock.now() + 14.0, lambda: setattr(instruments.sample_x, "slipped", True))
    end, documents = take(engine, clock, instruments)
    assert (end.outcome, outcome_of(documents)["written_flat"]) == (Outcome.PARTIAL, 4)
    assert end.reason.startswith("sample_x slipped")
    assert 0 < outcome_of(documents)["written_projection"] < 20


def test_a_camera_that_stops_sending_frames_gives_a_partial_tomogram_with_the_reason(engine: RunEngine) -> None:
    clock = FastClock()
    instruments = soft_instruments(clock)
    instruments.camera.stalls_after = 7
    end, documents = take(engine, clock, instruments)
    assert end.outcome is Outcome.PARTIAL
    assert "no more frames come" in end.reason
    assert only(documents, "stop")["exit_status"] == "fail"
    assert outcome_of(documents)["written_projection"] == 7
    assert not instruments.camera.acquiring


def test_a_lost_beam_gives_up_the_tomogram(engine: RunEngine) -> None:
    clock = FastClock()
    instruments = soft_instruments(clock)
    clock.at(clock.now() + 12.0, lambda: setattr(instruments.ring_current, "value_ma", 3.0))
    end, _ = take(engine, clock, instruments)
    assert end.outcome is Outcome.PARTIAL
    assert "3.0 mA" in end.reason
    assert instruments.shutter.state is ShutterState.CLOSED


def test_a_guard_that_is_started_again_meanwhile_costs_no_tomogram(engine: RunEngine) -> None:
    clock = FastClock()
    instruments = soft_instruments(clock)
    cell: Any = instruments.cell
    read, silent = cell.read, iter([True, True])

    def read_after_its_restart() -> Any:
        if next(silent, False):
            raise TimeoutError("its server is being started again")
        return read()

    cell.read = read_after_its_restart
    end, documents = take(engine, clock, instruments)
    assert end.outcome is Outcome.COMPLETE, end.reason
    assert only(documents, "stop")["num_events"]["cell"] == 2


def test_a_stalled_rotation_gives_up_the_tomogram(engine: RunEngine) -> None:
    clock = FastClock()
    instruments = soft_instruments(clock)
    instruments.rotation_stage.stalls = True
    end, documents = take(engine, clock, instruments)
    assert end.outcome is Outcome.PARTIAL
    assert "stalled" in end.reason
    assert only(documents, "stop")["exit_status"] == "fail"


@given(
    lost=st.fixed_dictionaries({kind: st.integers(0, 3) for kind in FrameKind}).filter(lambda lost: any(lost.values()))
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_frames_are_lost_the_tomogram_is_never_complete(engine: RunEngine, lost: dict[FrameKind, int]) -> None:
    clock = FastClock()
    instruments = soft_instruments(clock)
    instruments.camera.lost = Counter(lost)
    end, documents = take(engine, clock, instruments)
    assert end.outcome is Outcome.PARTIAL
    stop = only(documents, "stop")
    assert stop["exit_status"] == "fail"
    assert stop["reason"]


class ThrownError(Exception):
    pass


EVERY_MESSAGE = 11  # of some hundred, at a quarter of a second each; prime to the period in which commands recur


def count_messages(engine: RunEngine) -> int:
    clock = FastClock()
    seen: list[Msg] = []
    engine.msg_hook = seen.append
    take(engine, clock, soft_instruments(clock))
    engine.msg_hook = None
    return len(seen)


@pytest.mark.parametrize(("first", "thrown"), [(0, ThrownError), (2, RequestAbort)])
def test_an_exception_at_any_message_leaves_the_shutter_closed_the_camera_idle_and_no_success(
    engine: RunEngine, first: int, thrown: type[Exception]
) -> None:
    for index in range(first, count_messages(engine), EVERY_MESSAGE):
        clock = FastClock()
        instruments = soft_instruments(clock)
        documents: Documents = []

        def thrown_into(plan: Any, at: int = index) -> Any:
            """Pass messages on, and throw at one of them."""
            number, response = 0, None
            error: Exception | None = None
            while True:
                try:
                    message: Msg = plan.throw(error) if error is not None else plan.send(response)
                except StopIteration as stop:
                    return stop.value
                response, error = None, None
                if number == at:
                    error = thrown(f"at {message.command}")
                else:
                    try:
                        response = yield message
                    except Exception as caught:
                        error = caught
                number += 1

        threw = True
        try:
            engine(thrown_into(messages(clock, instruments)), lambda *pair: documents.append(pair))  # noqa: B023
            threw = False
        except (ThrownError, RunEngineInterrupted):
            pass
        stops = [doc for name, doc in documents if name == "stop"]
        assert instruments.shutter.state is ShutterState.CLOSED, index
        assert not instruments.camera.acquiring, index
        assert all(number == 1 for number in instruments.camera.num_exposures.values()), index
        if stops and stops[-1]["exit_status"] == "success":
            complete = outcome_of(documents)
            assert complete["declared_projection"] == SCAN.num_projections
            assert not threw or complete["outcome"] == "complete"
