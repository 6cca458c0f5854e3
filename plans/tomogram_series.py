"""The series of frames of one tomogram, one after the other, and what came of each."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import MsgGenerator

from devices.answers import NO_ANSWER
from devices.camera import Camera, FrameCounts
from operando.model.clock import Clock
from operando.model.frames import FrameKind
from plans import clock_waits, frames
from plans.frame_ledger import FrameLedger
from plans.tomogram_scan import TomogramScan
from plans.tomogram_watch import TomogramWatch

Told = Callable[[FrameKind, FrameCounts, float], None]


class TomogramSeries:
    """Takes series of frames with one camera and enters into ``ledger`` what came of them.

    Parameters
    ----------
    file_of
        Where the frames of each kind go.
    tell
        Called at each look with the kind, its counts, and the seconds that are left of its series.
    busy_until
        Called with the status of each series that begins.
    """

    def __init__(
        self,
        camera: Camera,
        clock: Clock,
        scan: TomogramScan,
        watch: TomogramWatch,
        file_of: Callable[[FrameKind], Path],
        tell: Told,
        busy_until: Callable[[Any], None],
    ) -> None:
        self._camera, self._clock, self._scan, self._watch = camera, clock, scan, watch
        self._file_of, self._tell, self._busy_until = file_of, tell, busy_until
        self.ledger = FrameLedger(scan.num_frames)
        self._open: FrameKind | None = None
        self._declared = False

    def take(self, kind: FrameKind) -> MsgGenerator[None]:
        """Take one kind of frames from preparation to the closed file."""
        yield from self.prepare(kind)
        yield from self.expose(kind)
        yield from self.end()

    def prepare(self, kind: FrameKind) -> MsgGenerator[None]:
        """Open the file and declare the stream."""
        self._open, self._declared = kind, False
        yield from clock_waits.prepare(self._camera, self._scan.series(kind, self._file_of(kind)))
        yield from bps.declare_stream(self._camera, name=kind.value, collect=True)
        self._declared = True

    def expose(
        self,
        kind: FrameKind,
        *,
        also: tuple[Callable[[], None], ...] = (),
        read_at_ends: Callable[[], MsgGenerator[None]] | None = None,
    ) -> MsgGenerator[None]:
        """Expose the prepared series and stay with it.

        Parameters
        ----------
        also
            Called at each look; raise to end the series early.
        read_at_ends
            Messages after the first exposure began and after the last frame is in the file.
        """
        series = self._scan.series(kind, self._file_of(kind))
        begin_s = self._clock.now()
        self._watch.begin()

        def watch(counts: FrameCounts) -> None:
            self._watch.look(kind)
            for look in also:
                look()
            self._tell(kind, counts, max(begin_s + series.duration_s - self._clock.now(), 0.0))

        yield from frames.take(
            self._camera,
            self._clock,
            series,
            watch=watch,
            busy_until=self._busy_until,
            at_first=read_at_ends() if read_at_ends else None,
            at_last=read_at_ends() if read_at_ends else None,
        )

    def end(self) -> MsgGenerator[None]:
        """Make the camera idle, close the file, and enter what came."""
        yield from clock_waits.answered(self._camera.end_series())
        self._settle()

    def give_up(self) -> MsgGenerator[None]:
        """End a series that is still open, declaring what is in its file."""
        if self._open is None:
            return
        try:
            yield from clock_waits.answered(self._camera.end_series())
        except Exception:
            if self._declared:  # what came is counted, also of a camera that does not become idle
                with contextlib.suppress(*NO_ANSWER):
                    self.ledger.enter(self._open, self._camera.counts())
            raise
        if self._declared:
            yield from bps.collect(self._camera, name=self._open.value)
        self._settle()

    def _settle(self) -> None:
        if self._open is not None and self._declared:
            self.ledger.enter(self._open, self._camera.counts())
        self._open = None
