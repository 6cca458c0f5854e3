"""Before the experiment: dark, flat and a pair of shots half a turn apart; the rotation axis moved to the middle."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky.utils import MsgGenerator, RequestAbort, RequestStop

from devices.camera import FrameCounts, FrameSeries
from devices.shutter import ShutterState
from operando.model.clock import Clock
from operando.model.frames import FrameKind
from operando.model.outcome import EXIT_STATUS, Outcome
from plans import clock_waits, facts, frames
from plans.faults import BeamLostError, sentence
from plans.instruments import Instruments
from plans.report import Progress, Report, say_nothing
from plans.tomogram_safety import SafeEnd
from plans.tomogram_scan import TomogramScan

HALF_TURN_DEG = 180.0
CENTRED_COLUMNS = 1.0  # from the middle of the view; nearer than that nothing is gained by moving
LARGEST_SCALE_ERROR = 0.2  # of the axis' travel against that of sample_x
MAX_MOVES = 4  # the first may go the wrong way, the last two only correct


class AlignmentError(RuntimeError):
    """The rotation axis could not be brought to the middle of the view."""


class AxisUnseenError(RuntimeError):
    """A pair of shots does not tell the rotation axis."""


class AxisSeen(Protocol):
    """Where a pair of shots shows the rotation axis."""

    @property
    def column(self) -> float:
        """At the middle row."""

    @property
    def uncertainty(self) -> float:
        """Standard deviation, in columns."""


@dataclass(frozen=True)
class ShotFiles:
    """Files of one look at the sample: dark, flat, and the shots at the start angle and half a turn on."""

    dark: Path
    flat: Path
    first: Path
    second: Path


FilesOf = Callable[[int], ShotFiles]
AxisOf = Callable[[ShotFiles], AxisSeen]


@dataclass(frozen=True)
class AlignmentEnd:
    """What was taken last, the axis seen in it, where sample_x then stands, and how far it was moved for that."""

    files: ShotFiles
    axis: AxisSeen
    sample_in_mm: float
    moved_mm: float


def alignment(
    instruments: Instruments,
    clock: Clock,
    scan: TomogramScan,
    *,
    num_frames: int,
    files_of: FilesOf,
    axis_of: AxisOf,
    centre: bool,
    metadata: Mapping[str, Any],
    report: Report = say_nothing,
) -> MsgGenerator[AlignmentEnd]:
    """Take dark, flat and two shots half a turn apart; return the rotation axis seen in them.

    Whatever happens, the shutter ends closed and the camera idle; after an error sample_x goes back to its place in
    the beam. Every kind of frames is a run of its own within an outer run, whose stream ``axis`` has one event for
    each pair.

    Parameters
    ----------
    scan
        Region, exposure, start angle and sample positions of the tomograms that are to come.
    num_frames
        Frames of each kind; their mean is looked at.
    files_of
        Where the frames of the first, second, ... pair go.
    axis_of
        Finds the axis in what was taken, or raises :class:`AxisUnseenError`.
    centre
        Move sample_x until the axis is in the middle of the view, and take another pair to prove it.
    metadata
        More for the start documents, at least ``rehearsal``.

    Raises
    ------
    AlignmentError
        If sample_x does not carry the axis as far as it moves, or not to the middle.
    AxisUnseenError
        If the shots do not tell the axis.
    """
    taking = _Alignment(instruments, clock, scan, num_frames, report, metadata)
    outer = {"kind": "alignment", "num_frames": num_frames, **scan.as_metadata(), **metadata}
    uid = yield from bps.open_run(outer)
    taking.metadata = {**metadata, "outer_run": uid}
    error: BaseException | None = None
    outcome, reason, end = Outcome.COMPLETE, "", None
    try:
        end = yield from taking.look(files_of, axis_of, centre=centre)
    except (RequestAbort, RequestStop) as wish:
        outcome, reason, error = Outcome.ABORTED, "a person ended the alignment", wish
    except Exception as mistake:
        outcome, reason, error = Outcome.FAILED, sentence(mistake), mistake
    safety = SafeEnd(instruments, clock, taking.stop_camera)
    yield from safety.plan()
    if outcome is Outcome.FAILED:
        yield from taking.put_back(safety)
    reason = "; ".join(filter(None, [reason, *safety.failed]))
    if safety.failed:
        outcome, error = Outcome.FAILED, AlignmentError(reason)
    yield from bps.close_run(exit_status=EXIT_STATUS[outcome], reason=reason)
    if (error := error or safety.wish) is not None:
        raise error
    assert end is not None
    return end


class _Alignment:
    def __init__(
        self,
        instruments: Instruments,
        clock: Clock,
        scan: TomogramScan,
        num_frames: int,
        report: Report,
        metadata: Mapping[str, Any],
    ) -> None:
        self.instruments, self.clock, self.scan, self.report = instruments, clock, scan, report
        self.num_frames, self.metadata = num_frames, metadata
        self._sample_moved = False

    def look(self, files_of: FilesOf, axis_of: AxisOf, *, centre: bool) -> MsgGenerator[AlignmentEnd]:
        files, in_mm = files_of(1), self.scan.sample_in_mm
        self._require_beam()
        yield from clock_waits.prepare(self.instruments.camera, self.scan.region)
        yield from self._dark_and_flat(files)
        axis = yield from self._pair(files, in_mm, axis_of)
        end = AlignmentEnd(files, axis, in_mm, 0.0)
        if centre and abs(self._off_middle(axis)) > CENTRED_COLUMNS:
            end = yield from self._centred(files_of, axis_of, end)
        yield from clock_waits.move(self.clock, self.instruments.rotation_stage, self.scan.start_deg)
        return end

    def _centred(self, files_of: FilesOf, axis_of: AxisOf, seen: AlignmentEnd) -> MsgGenerator[AlignmentEnd]:
        here, sign = seen, 1.0  # which way sample_x counts, nobody knows before it has moved once
        for number in range(2, 2 + MAX_MOVES):
            target_mm = here.sample_in_mm - sign * self._off_middle_mm(here.axis)
            self.instruments.sample_x.check_value(target_mm)
            files = replace(seen.files, first=files_of(number).first, second=files_of(number).second)
            try:
                axis = yield from self._pair(files, target_mm, axis_of)
            except AxisUnseenError:
                if number > 2:
                    raise
                sign = -sign  # the wrong way may lead out of what can be seen
                continue
            tried = AlignmentEnd(files, axis, target_mm, target_mm - seen.sample_in_mm)
            if abs(self._off_middle(axis)) <= CENTRED_COLUMNS:
                return tried
            sign = self._sign_of_carrying(here, tried)
            here = tried
        raise AlignmentError(
            f"{MAX_MOVES} moves of sample_x leave the axis {self._off_middle(here.axis):+.1f} columns off the middle; "
            f"{CENTRED_COLUMNS:g} is allowed. sample_x goes back to {seen.sample_in_mm:g} mm. See whether it stands "
            "where it is sent."
        )

    def _sign_of_carrying(self, before: AlignmentEnd, after: AlignmentEnd) -> float:
        """Return 1 if columns and sample_x count the same way, else -1; refuse a stage that does not carry the axis."""
        moved_mm = after.sample_in_mm - before.sample_in_mm
        carried_mm = self._off_middle_mm(after.axis) - self._off_middle_mm(before.axis)
        doubt_mm = 3 * math.hypot(before.axis.uncertainty, after.axis.uncertainty) * self.scan.pixel_size_um / 1e3
        if abs(abs(carried_mm) - abs(moved_mm)) > LARGEST_SCALE_ERROR * abs(moved_mm) + doubt_mm:
            raise AlignmentError(
                f"sample_x was moved by {moved_mm:+.4f} mm and carried the axis by {carried_mm / moved_mm:+.2f} mm for "
                f"each mm; 1 is expected. sample_x goes back to {self.scan.sample_in_mm:g} mm. See whether it carries "
                "the rotation stage, and whether pixel_size is right."
            )
        return math.copysign(1.0, carried_mm * moved_mm)

    def put_back(self, safety: SafeEnd) -> MsgGenerator[None]:
        """Bring the sample back to its place after an error; the shutter is closed."""
        if not self._sample_moved:
            return
        try:
            yield from clock_waits.move(self.clock, self.instruments.sample_x, self.scan.sample_in_mm)
        except (RequestAbort, RequestStop) as wish:
            safety.wish = wish
        except Exception as error:
            safety.failed.append(f"sample_x is not back at {self.scan.sample_in_mm:g} mm: {sentence(error)}")

    def stop_camera(self) -> MsgGenerator[None]:
        yield from clock_waits.answered(self.instruments.camera.end_series())

    def _dark_and_flat(self, files: ShotFiles) -> MsgGenerator[None]:
        shutter, sample_x = self.instruments.shutter, self.instruments.sample_x
        yield from clock_waits.move(self.clock, shutter, ShutterState.CLOSED)
        self._sample_moved = True
        leaving = yield from clock_waits.start_move(sample_x, self.scan.sample_out_mm)
        yield from self._shot(FrameKind.DARK, files.dark, "dark")
        yield from clock_waits.finish_move(self.clock, sample_x, leaving)
        yield from self._shot(FrameKind.FLAT, files.flat, "flat")

    def _pair(self, files: ShotFiles, sample_mm: float, axis_of: AxisOf) -> MsgGenerator[AxisSeen]:
        rotation, start_deg = self.instruments.rotation_stage, self.scan.start_deg
        yield from clock_waits.move(self.clock, self.instruments.sample_x, sample_mm)
        for path, angle_deg in ((files.first, start_deg), (files.second, start_deg + HALF_TURN_DEG)):
            yield from clock_waits.move(self.clock, rotation, angle_deg)
            yield from self._shot(FrameKind.PROJECTION, path, f"shot at {angle_deg:g} deg", angle_deg=angle_deg)
        axis = axis_of(files)
        yield from facts.record(
            "axis",
            {
                "axis_column": axis.column,
                "axis_uncertainty_columns": axis.uncertainty,
                "axis_off_middle_columns": self._off_middle(axis),
                "sample_x_mm": sample_mm,
            },
            self.clock,
        )
        return axis

    def _off_middle(self, axis: AxisSeen) -> float:
        return axis.column - (self.scan.num_columns - 1) / 2

    def _off_middle_mm(self, axis: AxisSeen) -> float:
        return self._off_middle(axis) * self.scan.pixel_size_um / 1e3

    def _require_beam(self) -> None:
        current_ma = self.instruments.ring_current.current_ma()
        if not current_ma >= self.scan.min_ring_current_ma:
            raise BeamLostError(
                f"The ring current is {current_ma:.1f} mA, needed {self.scan.min_ring_current_ma:g} mA. "
                "Wait for the beam, then align again."
            )

    def _shot(self, kind: FrameKind, path: Path, told: str, **details: Any) -> MsgGenerator[None]:
        """Take one series in a run of its own, with the beam on unless it is a dark."""
        camera, scan = self.instruments.camera, self.scan
        series = FrameSeries(kind, path, self.num_frames, scan.exposure_s, scan.frame_period_s)
        beam = ShutterState.CLOSED if kind is FrameKind.DARK else ShutterState.OPEN

        def tell(counts: FrameCounts) -> None:
            done = min(counts.written / series.num_frames, 1.0)
            self.report(
                Progress("align", told, done, (1 - done) * series.duration_s, counts.written, series.num_frames)
            )

        def inner() -> MsgGenerator[None]:
            yield from bps.open_run({"kind": "alignment_shot", "frames": kind.value, **details, **self.metadata})
            yield from clock_waits.move(self.clock, self.instruments.shutter, beam)
            yield from clock_waits.prepare(camera, series)
            yield from bps.declare_stream(camera, name=kind.value, collect=True)
            yield from frames.take(camera, self.clock, series, watch=tell)
            yield from clock_waits.answered(camera.end_series())
            yield from bps.close_run()

        yield from bpp.set_run_key_wrapper(inner(), path.stem)
        # Between two shots something moves: nobody should be surprised by the beam.
        yield from clock_waits.move(self.clock, self.instruments.shutter, ShutterState.CLOSED)
