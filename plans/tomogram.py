"""One tomogram, an atomic unit: darks, flats and projections in one run of its own, with a truthful end."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky.utils import MsgGenerator, RequestAbort, RequestStop

from devices.answers import NO_ANSWER
from devices.camera import FrameCounts
from devices.shutter import ShutterState
from operando.model.clock import Clock
from operando.model.frames import FrameKind
from operando.model.outcome import EXIT_STATUS, Outcome
from plans import cell_watch, clock_waits, facts, frames
from plans.dead_time import DeadTime
from plans.faults import INSTRUMENT_FAULTS, BeamLostError, sentence
from plans.frame_ledger import FrameLedger
from plans.instruments import Instruments
from plans.report import Progress, Report, say_nothing
from plans.tomogram_scan import TomogramScan


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
    """How an attempt ended, with the reason if not complete, the run's uid and the counts of frames."""

    tomogram: str
    outcome: Outcome
    reason: str
    uid: str
    frames: Mapping[str, int] = field(default_factory=dict)


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
    """Take darks, flats and projections; return how it ended.

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
        self.instruments, self.clock, self.scan, self.name = instruments, clock, scan, name
        self.file_of, self.report = file_of, report
        self.ledger = FrameLedger(scan.num_frames)
        self.dead_time = DeadTime(clock)
        self.kind: FrameKind | None = None  # of the series that is open
        self.declared = False
        self.wish: BaseException | None = None

    def plan(self, metadata: Mapping[str, Any]) -> MsgGenerator[TomogramEnd]:
        uid = yield from bps.open_run({**self._start(), **metadata})
        error: BaseException | None = None
        try:
            yield from self._measure()
        except INSTRUMENT_FAULTS as fault:
            outcome, reason = Outcome.PARTIAL, sentence(fault)
        except (RequestAbort, RequestStop) as wish:
            outcome, reason, error = Outcome.ABORTED, "a person ended the run", wish
        except Exception as mistake:
            outcome, reason, error = Outcome.FAILED, sentence(mistake), mistake
        else:
            outcome, reason = self.ledger.outcome, "; ".join(self.ledger.differences)
        unsafe = yield from self._make_safe()
        if unsafe:
            outcome = Outcome.PARTIAL if outcome is Outcome.COMPLETE else outcome
            reason = "; ".join(filter(None, [reason, *unsafe]))
        yield from facts.record("outcome", self._outcome_fields(outcome, reason), self.clock)
        yield from bps.close_run(exit_status=EXIT_STATUS[outcome], reason=reason)
        if (error := error or self.wish) is not None:
            raise error
        return TomogramEnd(self.name.tomogram, outcome, reason, str(uid), self.ledger.as_fields())

    def _measure(self) -> MsgGenerator[None]:
        camera, shutter, sample_x = self.instruments.camera, self.instruments.shutter, self.instruments.sample_x
        self._require_beam()
        with self.dead_time.phase("darks"):
            # Darks come first: afterglow from the flats would add counts. The sample leaves the beam meanwhile.
            yield from clock_waits.move(self.clock, shutter, ShutterState.CLOSED)
            leaving = yield from clock_waits.start_move(sample_x, self.scan.sample_out_mm)
            yield from self._frames(FrameKind.DARK)
        with self.dead_time.phase("shutter"):
            yield from clock_waits.move(self.clock, shutter, ShutterState.OPEN)
        with self.dead_time.phase("sample_out"):
            yield from clock_waits.finish_move(self.clock, sample_x, leaving)
        with self.dead_time.phase("flats"):
            yield from self._frames(FrameKind.FLAT)
        with self.dead_time.phase("sample_in_and_taxi"):
            rotation = self.instruments.rotation_stage
            flight = rotation.flight(self.scan.angles)
            entering = yield from clock_waits.start_move(sample_x, self.scan.sample_in_mm)
            taxiing = yield from clock_waits.start_move(rotation, flight.from_deg)
            yield from clock_waits.finish_move(self.clock, sample_x, entering)
            yield from clock_waits.finish_move(self.clock, rotation, taxiing)
        with self.dead_time.phase("prepare"):
            yield from clock_waits.prepare(rotation, flight)
            yield from self._prepare(FrameKind.PROJECTION)
        with self.dead_time.phase("lead_in"):
            begin_s = self.clock.now()
            turning = rotation.fly(flight)
            yield from clock_waits.sleep_until(self.clock, begin_s + flight.first_exposure_after_s)
        with self.dead_time.phase("projections"):
            yield from self._expose(
                FrameKind.PROJECTION, also=(rotation.look, lambda: clock_waits.raise_error(turning))
            )
        with self.dead_time.phase("close"):
            yield from clock_waits.answered(camera.end_series())
            self._settle()
            yield from clock_waits.move(self.clock, shutter, ShutterState.CLOSED)
            yield from clock_waits.finish_move(self.clock, rotation, turning)
            yield from clock_waits.prepare(rotation, None)

    def _frames(self, kind: FrameKind) -> MsgGenerator[None]:
        yield from self._prepare(kind)
        yield from self._expose(kind)
        yield from clock_waits.answered(self.instruments.camera.end_series())
        self._settle()

    def _prepare(self, kind: FrameKind) -> MsgGenerator[None]:
        camera = self.instruments.camera
        self.kind, self.declared = kind, False
        yield from clock_waits.prepare(camera, self.scan.series(kind, self.file_of(kind)))
        yield from bps.declare_stream(camera, name=kind.value, collect=True)
        self.declared = True

    def _expose(self, kind: FrameKind, also: tuple[Callable[[], None], ...] = ()) -> MsgGenerator[None]:
        series = self.scan.series(kind, self.file_of(kind))
        begin_s = self.clock.now()

        def watch(counts: FrameCounts) -> None:
            if kind is not FrameKind.DARK:
                self._require_beam()
            for look in also:
                look()
            self._require_safe_cell()
            left_s = max(begin_s + series.duration_s - self.clock.now(), 0.0)
            fraction = min(counts.written / series.num_frames, 1.0)
            self.report(
                Progress(
                    self.name.step, kind.value, fraction, left_s, counts.written, series.num_frames, self.name.tomogram
                )
            )

        ends = self._read_cell if kind is FrameKind.PROJECTION else None
        yield from frames.take(
            self.instruments.camera,
            self.clock,
            series,
            watch=watch,
            at_first=ends() if ends else None,
            at_last=ends() if ends else None,
        )

    def _read_cell(self) -> MsgGenerator[None]:
        yield from facts.read_into("cell", self.instruments.cell)

    def _require_beam(self) -> None:
        found_ma = self.instruments.ring_current.current_ma()
        if not found_ma >= self.scan.min_ring_current_ma:
            raise BeamLostError(
                f"the ring current is {found_ma:.1f} mA, needed are {self.scan.min_ring_current_ma:g} mA: "
                "the tomogram was given up to be taken again with beam"
            )

    def _require_safe_cell(self) -> None:
        if self.instruments.cell.connected:  # a guard that died is restarted, and tells then
            with contextlib.suppress(*NO_ANSWER):
                cell_watch.state(self.instruments.cell)

    def _settle(self) -> None:
        if self.kind is not None and self.declared:
            self.ledger.enter(self.kind, self.instruments.camera.counts())
        self.kind = None

    def _make_safe(self) -> MsgGenerator[list[str]]:
        """Close the shutter, then make the camera idle and the stage stand; return a sentence for each that failed."""
        failed = []
        for label, action in (
            ("the shutter was not closed", self._close_shutter),
            ("the camera was not stopped", self._stop_camera),
            ("the rotation was not stopped", self._stop_rotation),
        ):
            for attempt in (1, 2):  # the second try answers a fault that came just now
                try:
                    yield from action()
                    break
                except (RequestAbort, RequestStop) as wish:
                    self.wish = wish
                except Exception as error:
                    if attempt == 2:
                        failed.append(f"{label}: {sentence(error)}")
        return failed

    def _close_shutter(self) -> MsgGenerator[None]:
        shutter = self.instruments.shutter
        if shutter.state is not ShutterState.CLOSED:
            yield from clock_waits.move(self.clock, shutter, ShutterState.CLOSED)

    def _stop_camera(self) -> MsgGenerator[None]:
        if self.kind is None:
            return
        camera = self.instruments.camera
        yield from clock_waits.answered(camera.end_series())
        if self.declared:
            yield from bps.collect(camera, name=self.kind.value)
        self._settle()

    def _stop_rotation(self) -> MsgGenerator[None]:
        rotation = self.instruments.rotation_stage
        if rotation.moving:
            yield from bps.stop(rotation)
            yield from clock_waits.wait_for(
                self.clock, lambda: not rotation.moving, poll_s=0.1, limit_s=rotation.stall_s, what=rotation.name
            )
        yield from clock_waits.prepare(rotation, None)

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
            **self.ledger.as_fields(),
            "dead_time_phases": list(spent),
            "dead_time_clock_s": [seconds["clock_s"] for seconds in spent.values()],
            "dead_time_wall_s": [seconds["wall_s"] for seconds in spent.values()],
        }
