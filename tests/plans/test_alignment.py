"""Before the experiment: what is taken, and where sample_x stands afterwards, whichever way it counts."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bluesky import RunEngine
from bluesky.utils import RequestAbort
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ophyd.utils import LimitError

from devices.camera import CameraError
from devices.shutter import ShutterState
from plans.alignment import CENTRED_COLUMNS, AlignmentEnd, AlignmentError, AxisUnseenError, ShotFiles, alignment
from plans.faults import BeamLostError
from plans.instruments import Instruments
from plans.tomogram_scan import TomogramScan
from tests.support.fast_clock import FastClock
from tests.support.soft_beamline import soft_instruments

IN_MM, PIXEL_MM, NUM_COLUMNS = 0.3, 0.01, 200
SCAN = TomogramScan(
    num_darks=3, num_flats=4, num_projections=20, exposure_s=0.5, frame_period_s=0.5, angle_range_deg=180.0,
    num_columns=NUM_COLUMNS, num_rows=4, binning=1, pixel_size_um=1e3 * PIXEL_MM, energy_kev=35.0, sample_out_mm=12.0,
    sample_in_mm=IN_MM,
)  # fmt: skip
MIDDLE = (NUM_COLUMNS - 1) / 2
REACH = 0.3 * NUM_COLUMNS
Documents = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Seen:
    column: float
    uncertainty: float = 0.1


@dataclass
class Bench:
    """Soft instruments and a camera that sees the axis ``off`` columns off the middle at IN_MM.

    Each mm of sample_x carries it by ``carries`` mm.
    """

    off: float = 0.0
    carries: float = 1.0

    def __post_init__(self) -> None:
        self.clock = FastClock()
        self.instruments: Instruments = soft_instruments(self.clock)
        for motor in (self.instruments.rotation_stage, self.instruments.sample_x):
            motor.velocity = 1e4  # each look at a moving motor costs real time
        self.documents: Documents = []
        self.looked_at: list[ShotFiles] = []

    @property
    def sample_mm(self) -> float:
        return float(self.instruments.sample_x.position)

    @property
    def off_now(self) -> float:
        return self.off + self.carries * (self.sample_mm - IN_MM) / PIXEL_MM

    def axis_of(self, files: ShotFiles) -> Seen:
        self.looked_at.append(files)
        if abs(self.off_now) > REACH:
            raise AxisUnseenError("too little in common")
        return Seen(MIDDLE + self.off_now)

    def plan(self, *, centre: bool, axis_of: Callable[[ShotFiles], Seen] | None = None) -> Any:
        return alignment(
            self.instruments, self.clock, SCAN, num_frames=2, centre=centre, metadata={"rehearsal": True},
            files_of=lambda number: ShotFiles(*(Path(f"/frames/{kind}_{number}.h5") for kind in "dfab")),
            axis_of=axis_of or self.axis_of,
        )  # fmt: skip

    def align(self, engine: RunEngine, **options: Any) -> AlignmentEnd:
        engine.subscribe(self.keep)  # for good: bluesky may trip over the garbage collector when it unsubscribes
        end: AlignmentEnd = engine(self.plan(**options)).plan_result
        return end

    def keep(self, name: str, document: dict[str, Any]) -> None:
        self.documents.append((name, document))

    def outer_stop(self) -> dict[str, Any]:
        (uid,) = [doc["uid"] for name, doc in self.documents if name == "start" and doc["kind"] == "alignment"]
        (stop,) = [doc for name, doc in self.documents if name == "stop" and doc["run_start"] == uid]
        return stop

    def assert_safe(self) -> None:
        assert self.instruments.shutter.state is ShutterState.CLOSED
        assert not self.instruments.camera.acquiring


@pytest.fixture(scope="module")
def engine() -> RunEngine:
    engine = RunEngine(call_returns_result=True)
    engine.log.disabled = True
    return engine


def test_dark_flat_and_two_shots_half_a_turn_apart_are_taken_each_where_it_belongs(engine: RunEngine) -> None:
    bench, seen = Bench(off=8.0), []
    kickoff = bench.instruments.camera.kickoff

    def watched() -> Any:
        series, stage = bench.instruments.camera.series, bench.instruments.rotation_stage
        seen.append((series.path.stem, bench.instruments.shutter.state.value, bench.sample_mm, stage.position))
        return kickoff()

    bench.instruments.camera.kickoff = watched  # type: ignore[method-assign]
    end = bench.align(engine, centre=False)
    where = {name: rest for name, *rest in seen}
    assert list(where) == ["d_1", "f_1", "a_1", "b_1"]
    assert where["d_1"][0] == "closed"
    assert where["f_1"] == ["open", 12.0, 0.0]
    assert where["a_1"] == ["open", IN_MM, 0.0]
    assert where["b_1"] == ["open", IN_MM, 180.0]
    assert (end.axis.column, end.sample_in_mm, end.moved_mm) == (MIDDLE + 8, IN_MM, 0.0)
    assert bench.outer_stop()["exit_status"] == "success"
    assert bench.outer_stop()["num_events"]["axis"] == 1
    bench.assert_safe()


@given(off=st.floats(-REACH, REACH), sign=st.sampled_from([1.0, -1.0]), scale=st.floats(0.83, 1.2))
@example(off=REACH, sign=-1.0, scale=1.2)  # the first move, the wrong way, leads out of what can be seen
@example(off=0.0, sign=1.0, scale=1.0)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_axis_ends_in_the_middle_whichever_way_sample_x_counts(
    engine: RunEngine, off: float, sign: float, scale: float
) -> None:
    bench = Bench(off, sign * scale)
    end = bench.align(engine, centre=True)
    assert abs(bench.off_now) <= CENTRED_COLUMNS
    assert abs(end.axis.column - MIDDLE) <= CENTRED_COLUMNS
    assert bench.sample_mm == pytest.approx(end.sample_in_mm, abs=1e-9)
    assert end.sample_in_mm == pytest.approx(IN_MM + end.moved_mm, abs=1e-9)
    assert end.files == bench.looked_at[-1]
    assert (end.files.dark, end.files.flat) == (bench.looked_at[0].dark, bench.looked_at[0].flat)
    assert len({files.first for files in bench.looked_at}) == len(bench.looked_at), "no pair overwrites another"
    bench.assert_safe()


@pytest.mark.parametrize("carries", [0.0, 0.5, -0.5, 2.0])
def test_a_stage_that_does_not_carry_the_axis_is_refused_and_put_back(engine: RunEngine, carries: float) -> None:
    bench = Bench(off=20.0, carries=carries)
    with pytest.raises(AlignmentError, match=rf"moved by -0\.2000 mm and carried .*{abs(carries):.2f} mm for each"):
        bench.align(engine, centre=True)
    assert bench.sample_mm == pytest.approx(IN_MM, abs=1e-9)
    assert bench.outer_stop()["exit_status"] == "fail"
    bench.assert_safe()


def test_an_axis_that_will_not_stay_is_refused_after_a_few_moves(engine: RunEngine) -> None:
    bench = Bench()
    offs = iter([20.0, 3.9, 3.2, 2.7, 2.3, 2.0])
    with pytest.raises(AlignmentError, match=r"4 moves .* \+2\.3 columns"):
        bench.align(engine, centre=True, axis_of=lambda _: Seen(MIDDLE + next(offs), uncertainty=2.0))
    assert bench.sample_mm == pytest.approx(IN_MM, abs=1e-9)
    bench.assert_safe()


def test_a_pair_that_does_not_tell_the_axis_ends_it_with_the_sample_in_its_place(engine: RunEngine) -> None:
    bench = Bench(off=1.1 * REACH)
    with pytest.raises(AxisUnseenError, match="too little in common"):
        bench.align(engine, centre=True)
    assert len(bench.looked_at) == 1
    assert bench.sample_mm == pytest.approx(IN_MM, abs=1e-9)
    bench.assert_safe()


def test_a_move_beyond_the_travel_is_refused_before_it_begins(engine: RunEngine) -> None:
    bench = Bench(off=20.0)
    bench.instruments.sample_x.limits = (0.2, 13.0)
    with pytest.raises(LimitError, match=r"0\.1 lies outside"):
        bench.align(engine, centre=True)
    assert bench.sample_mm == pytest.approx(IN_MM, abs=1e-9)
    bench.assert_safe()


def test_without_beam_nothing_moves(engine: RunEngine) -> None:
    bench = Bench()
    bench.instruments.ring_current.value_ma = 3.0
    with pytest.raises(BeamLostError, match=r"3\.0 mA"):
        bench.align(engine, centre=True)
    assert bench.looked_at == []
    assert bench.sample_mm == 0.0


def test_a_camera_that_stops_during_a_flat_ends_it_with_the_sample_back_in(engine: RunEngine) -> None:
    bench = Bench()
    begin = bench.instruments.camera.prepare

    def broken(what: Any) -> Any:
        if getattr(what, "path", Path()).stem == "f_1":
            raise CameraError("out of order")
        return begin(what)

    bench.instruments.camera.prepare = broken  # type: ignore[method-assign]
    with pytest.raises(CameraError):
        bench.align(engine, centre=True)
    assert bench.sample_mm == pytest.approx(IN_MM, abs=1e-9)
    assert bench.outer_stop()["exit_status"] == "fail"
    bench.assert_safe()


def test_a_person_who_ends_it_finds_the_shutter_closed_and_the_runs_ended(engine: RunEngine) -> None:
    bench = Bench(off=20.0)

    def ended_at_the_first_shot(plan: Any) -> Any:
        num_series, response, wish = 0, None, None
        while True:
            try:
                message = plan.send(response) if wish is None else plan.throw(wish)
            except StopIteration as stop:
                return stop.value
            response, wish = None, None
            num_series += message.command == "kickoff"
            if message.command == "kickoff" and num_series == 3:
                wish = RequestAbort("enough")
            else:
                response = yield message

    engine(ended_at_the_first_shot(bench.plan(centre=True)), bench.keep)
    assert bench.outer_stop()["exit_status"] == "abort"
    assert bench.looked_at == []
    assert sum(name == "stop" for name, _ in bench.documents) == sum(name == "start" for name, _ in bench.documents)
    bench.assert_safe()
