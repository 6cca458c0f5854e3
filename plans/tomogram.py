"""One tomogram, an atomic unit: darks, flats and projections in one run of its own, with a truthful end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky.utils import MsgGenerator, RequestAbort, RequestStop

from devices.answers import NO_ANSWER
from devices.camera import Camera, FrameCounts
from devices.shutter import ShutterState
from operando.model.clock import Clock
from operando.model.frames import FrameKind
from operando.model.outcome import EXIT_STATUS, Outcome
from plans import cell_watch, clock_waits, facts
from plans.beam_record import BeamRecord
from plans.clock_waits import Started
from plans.dead_time import DeadTime
from plans.even_turn import unevenness
from plans.faults import INSTRUMENT_FAULTS, BeamLostError, UnevenTurnError, sentence, undisturbed
from plans.instruments import Instruments
from plans.report import Progress, Report, say_nothing
from plans.tomogram_safety import SafeEnd
from plans.tomogram_scan import TomogramScan
from plans.tomogram_series import TomogramSeries
from plans.tomogram_watch import TomogramWatch

NUM_DIGITS = 4  # of s; a clock is not known better


@dataclass(frozen=True)
class TomogramName:
    """Which tomogram this is, for documents and people; ``set_voltage_v`` is ``None`` if a time decided."""

    tomogram: str
    attempt: int
    step: str
    cycle: int
    sync: str
    set_voltage_v: float | None = None


@dataclass(frozen=True)
class TomogramEnd:
    """How an attempt ended: why if not complete, the run's uid, the counts of frames, whether it lost the beam."""

    tomogram: str
    outcome: Outcome
    reason: str
    uid: str
    frames: Mapping[str, int] = field(default_factory=dict)
    lost_beam: bool = False


def tomogram(
    instruments: Instruments,
    clock: Clock,
    scan: TomogramScan,
    name: TomogramName,
    *,
    file_of: Callable[[FrameKind], Path],
    metadata: Mapping[str, Any],
    report: Report = say_nothing,
) -> MsgGenerator[TomogramEnd]:
    """Take darks, flats, projections and, where asked, flats again; return how it ended.

    An instrument's fault ends it as partial. Whatever happens, the shutter ends closed and the camera idle, and the
    run is closed with a count of its frames; it is a success only if every count is what was asked.

    Parameters
    ----------
    file_of
        Where the frames of each kind go.
    metadata
        More for the start document, at least ``outer_run`` and ``rehearsal``.

    Raises
    ------
    Exception
        Whatever is not an instrument's fault, after the run was closed.
    """
    taking = _Taking(instruments, clock, scan, name, file_of, report)
    plan = bpp.rewindable_wrapper(taking.plan(metadata), False)
    end: TomogramEnd = yield from bpp.set_run_key_wrapper(plan, f"tomogram_{name.attempt}")
    return end


class _Taking:
    def __init__(
        self,
        instruments: Instruments,
        clock: Clock,
        scan: TomogramScan,
        name: TomogramName,
        file_of: Callable[[FrameKind], Path],
        report: Report,
    ) -> None:
        self.instruments, self.clock, self.scan, self.name, self.report = instruments, clock, scan, name, report
        self.watch = TomogramWatch(instruments, min_ring_current_ma=scan.min_ring_current_ma)
        self.dead_time = DeadTime(clock)
        self.series = TomogramSeries(
            instruments.camera, clock, scan, self.watch, file_of, self._tell, self.dead_time.busy_until
        )
        self.file_of = file_of

    def plan(self, metadata: Mapping[str, Any]) -> MsgGenerator[TomogramEnd]:
        uid = yield from bps.open_run({**self._start(), **metadata})
        ledger, lost_beam = self.series.ledger, False
        error: BaseException | None = None
        try:
            yield from self._measure()
        except INSTRUMENT_FAULTS as fault:
            outcome, reason, lost_beam = Outcome.PARTIAL, sentence(fault), isinstance(fault, BeamLostError)
        except (RequestAbort, RequestStop) as wish:
            outcome, reason, error = Outcome.ABORTED, "a person ended the run", wish
        except Exception as mistake:
            outcome, reason, error = Outcome.FAILED, sentence(mistake), mistake
        else:
            outcome, reason = Outcome.COMPLETE, ""
        safety = SafeEnd(self.instruments, self.clock, self.series.give_up)
        with self.dead_time.phase("make_safe"):
            yield from safety.plan()
        # Counted last, and whatever was thought before: nothing is complete with a frame missing.
        if outcome is Outcome.COMPLETE and (ledger.differences or safety.failed):
            outcome = Outcome.PARTIAL
        reason = "; ".join(filter(None, [reason, *ledger.differences, *safety.failed]))
        yield from undisturbed(facts.record("outcome", self._outcome_fields(outcome, reason), self.clock))
        yield from undisturbed(bps.close_run(exit_status=EXIT_STATUS[outcome], reason=reason))
        if (error := error or safety.wish) is not None:
            raise error
        return TomogramEnd(self.name.tomogram, outcome, reason, str(uid), ledger.as_fields(), lost_beam)

    def _measure(self) -> MsgGenerator[None]:
        shutter, sample_x = self.instruments.shutter, self.instruments.sample_x
        rotation, phase = self.instruments.rotation_stage, self.dead_time.phase
        self.watch.require_hold()
        self.watch.require_beam()
        with phase("darks"):
            # Darks come first: afterglow from the flats would add counts. The sample leaves the beam meanwhile.
            yield from self._move(shutter, ShutterState.CLOSED)
            leaving = yield from self._start_move(sample_x, self.scan.sample_out_mm)
            yield from self.series.take(FrameKind.DARK)
        with phase("shutter"):
            yield from self._move(shutter, ShutterState.OPEN)
        with phase("sample_out"):
            yield from clock_waits.finish_move(self.clock, sample_x, leaving)
        with phase("flats"):
            yield from self.series.take(FrameKind.FLAT)
        with phase("sample_in_and_taxi"):
            flight = rotation.flight(self.scan.angles)
            entering = yield from self._start_move(sample_x, self.scan.sample_in_mm)
            taxiing = yield from self._start_move(rotation, flight.from_deg)
            yield from clock_waits.finish_move(self.clock, sample_x, entering)
            yield from clock_waits.finish_move(self.clock, rotation, taxiing)
        with phase("prepare"):
            yield from clock_waits.prepare(rotation, flight)
            yield from self.series.prepare(FrameKind.PROJECTION)
        with phase("lead_in"):
            begin_s = self.clock.now()
            turning = rotation.fly(flight)
            self.dead_time.busy_until(turning)
            yield from clock_waits.sleep_until(self.clock, begin_s + flight.first_exposure_after_s)
        with phase("projections"):
            yield from self.series.expose(
                FrameKind.PROJECTION,
                also=(rotation.look, lambda: clock_waits.raise_error(turning)),
                read_at_ends=self._read_cell,
            )
        with phase("close"):
            yield from self.series.end()
            if self.series.ledger.difference(FrameKind.PROJECTION):  # what is lost is not won by turning on
                return
            if reason := unevenness(self.file_of(FrameKind.PROJECTION), self.scan.angles):
                raise UnevenTurnError(reason)
        if self.scan.num_flats_after:
            with phase("sample_out_after"):
                yield from self._move(sample_x, self.scan.sample_out_mm)
            with phase("flats_after"):
                yield from self.series.take(FrameKind.FLAT_AFTER)
        with phase("close"):
            yield from self._move(shutter, ShutterState.CLOSED)
            if self.scan.num_flats_after:
                yield from self._move(sample_x, self.scan.sample_in_mm)
            yield from clock_waits.finish_move(self.clock, rotation, Started(turning))
            yield from clock_waits.prepare(rotation, None)

    def _start_move(self, device: Any, position: Any) -> MsgGenerator[Started]:
        started = yield from clock_waits.start_move(device, position)
        self.dead_time.busy_until(started.status)
        return started

    def _move(self, device: Any, position: Any) -> MsgGenerator[None]:
        yield from clock_waits.finish_move(self.clock, device, (yield from self._start_move(device, position)))

    def _read_cell(self) -> MsgGenerator[None]:
        """Read the cell; frames come meanwhile, so there is time to wait for a guard that is being started again."""
        for tries_left in reversed(range(cell_watch.NUM_TRIES)):
            try:
                yield from facts.read_into("cell", self.instruments.cell)
                yield from BeamRecord(self.instruments.ring_current, self.clock).now()
                return
            except NO_ANSWER:
                if tries_left == 0:
                    raise
            yield from clock_waits.sleep_until(self.clock, self.clock.now() + cell_watch.RESTART_S)

    def _tell(self, kind: FrameKind, counts: FrameCounts, left_s: float) -> None:
        num, name = self.scan.num_frames[kind], self.name
        fraction = min(counts.written / num, 1.0)
        self.report(Progress(name.step, kind.value, fraction, left_s, counts.written, num, name.tomogram))

    def _start(self) -> dict[str, Any]:
        return {
            "kind": "tomogram",
            "tomogram": self.name.tomogram,
            "attempt": self.name.attempt,
            "step": self.name.step,
            "cycle": self.name.cycle,
            "sync": self.name.sync,
            "set_voltage_v": self.name.set_voltage_v,
            **self.scan.as_metadata(),
        }

    def _outcome_fields(self, outcome: Outcome, reason: str) -> dict[str, Any]:
        spent = self.dead_time.as_table()
        return {
            "outcome": outcome.value,
            "reason": reason,
            **self.series.ledger.as_fields(),
            **_clock_fields(self.instruments.camera),
            "dead_time_phases": list(spent),
            "dead_time_clock_s": [seconds["clock_s"] for seconds in spent.values()],
            "dead_time_wall_s": [seconds["wall_s"] for seconds in spent.values()],
            "dead_time_software_s": [seconds["software_s"] for seconds in spent.values()],
        }


def _clock_fields(camera: Camera) -> dict[str, float]:
    offset = camera.clock_offset()
    if offset is None:
        return {}
    return {
        "camera_clock_behind_s": round(offset.behind_s, NUM_DIGITS) + 0.0,
        "camera_clock_uncertainty_s": round(offset.uncertainty_s, NUM_DIGITS),
        "camera_clock_drift_ppm": round(1e6 * offset.drift, 1),
    }
