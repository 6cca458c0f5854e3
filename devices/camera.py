"""The camera: a flyer that writes one file per series of frames and declares them while they arrive."""

import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ophyd import Device, DeviceStatus, FormattedComponent

from devices.answers import finished, in_background, put_all, reaches
from devices.camera_clock import CameraClock, CameraOffset
from devices.camera_signals import CameraDriver, FileWriter
from devices.chip_region import ChipRegion, chip_settings
from devices.frame_documents import FrameDocuments, data_keys
from devices.progress import ProgressWatch
from operando.model.clock import Clock
from operando.model.frames import FrameKind

NUM_SILENT_PERIODS = 20
SERVER_PAUSE_S = 2.0  # of the clock; what a healthy server may take before it counts a frame, however short the period


class CameraError(RuntimeError):
    """The camera or its file writer did not do what was asked."""


@dataclass(frozen=True)
class FrameSeries:
    """Frames of one kind that go into one file."""

    kind: FrameKind
    path: Path
    num_frames: int
    exposure_s: float
    period_s: float

    @property
    def duration_s(self) -> float:
        """How long the series takes."""
        return self.num_frames * self.period_s

    @property
    def silence_s(self) -> float:
        """How long no new frame may come, in s of the clock."""
        return NUM_SILENT_PERIODS * self.period_s + SERVER_PAUSE_S


@dataclass(frozen=True)
class FrameCounts:
    """Frames of the present series: exposed, in the file, lost by the writer, declared in documents."""

    acquired: int
    written: int
    dropped: int
    declared: int


class Camera(Device):  # type: ignore[misc]
    """An areaDetector camera with its HDF5 plugin.

    ``prepare(series)`` opens the file, ``kickoff`` starts the exposures once, ``complete`` gives the status of the
    series, ``collect`` declares what is in the file, :meth:`end_series` makes the camera idle and closes the file.
    ``prepare(region)`` sets what part of the chip is read. :meth:`look` asks the servers for the counts, ends the
    series' status when all is in the file, and fails it when somebody else ends it or no new frame comes.
    """

    cam = FormattedComponent(CameraDriver, "{prefix}{_cam_suffix}")
    hdf1 = FormattedComponent(FileWriter, "{prefix}{_hdf1_suffix}")

    def __init__(
        self, prefix: str, *, name: str, clock: Clock, cam: str = "cam1:", hdf1: str = "HDF1:", **options: Any
    ) -> None:
        self._cam_suffix, self._hdf1_suffix = cam, hdf1
        super().__init__(prefix, name=name, **options)
        self._watch = ProgressWatch(clock)
        self._camera_clock = CameraClock(self.hdf1.time_stamp, clock)
        self._series: FrameSeries | None = None
        self._documents: FrameDocuments | None = None
        self._flight: DeviceStatus | None = None
        self._before = FrameCounts(0, 0, 0, 0)
        self._ending = threading.Lock()
        self._opening = threading.RLock()  # a file is opened, or closed
        self._num_endings = 0

    @property
    def acquiring(self) -> bool:
        """Whether it exposes now."""
        return int(self.cam.acquiring.get(use_monitor=False)) != 0

    @property
    def capturing(self) -> bool:
        """Whether a file is open now."""
        return int(self.hdf1.capturing.get(use_monitor=False)) != 0

    def prepare(self, what: FrameSeries | ChipRegion) -> DeviceStatus:
        """Make ready for a series, or set the region of the chip; the status is done when the servers have answered.

        The status fails with
            ``CameraError`` if the file that was opened is not the one that was asked for, or the series was ended
            before its file was opened,
            ``ChipRegionError`` if the region does not fit, ``NoAnswerError`` if a server does not answer.
        """
        if isinstance(what, ChipRegion):
            return in_background(self, lambda: self._set_region(what))
        num_endings = self._num_endings
        return in_background(self, lambda: self._open(what, num_endings))

    def kickoff(self) -> DeviceStatus:
        """Start the prepared series. A second call for the same series starts nothing."""
        series = self._prepared()
        if self._flight is None:
            self._flight = DeviceStatus(self)
            self._watch.restart()
            if series.kind is FrameKind.PROJECTION:
                self._camera_clock.begin()
            # When the exposures are over the put is answered, and a writer may still be behind: only look() says done.
            self.cam.acquire.put(1, use_complete=True, callback=lambda *_, **__: None)
            self.cam.acquiring.get(use_monitor=False)  # the reply comes after the put: the exposures have begun
        return finished(self)

    def complete(self) -> DeviceStatus:
        """Return the status of the series that was started."""
        if self._flight is None:
            raise CameraError(f"{self.name}: no series was started. Call kickoff first.")
        return self._flight

    def look(self) -> FrameCounts:
        """Ask for the counts; end the series' status if it is over or if nothing new comes."""
        flight = self._flight
        if flight is None or flight.done:
            return self.counts()
        series = self._prepared()
        # Counts come last: a frame between them and the end of the exposures would look like a lost one.
        acquiring, capturing = self.acquiring, self.capturing
        counts = self.counts()
        found = f"{counts.acquired} were acquired and {counts.written} written"
        if not acquiring and counts.acquired > 0 and counts.written + counts.dropped >= counts.acquired:
            stopped = counts.acquired < series.num_frames
            self._finish(flight, self._error(series, f"{found} when the camera stopped") if stopped else None)
        elif not capturing and counts.written < series.num_frames:
            self._finish(flight, self._error(series, f"{found} when the file was closed"))
        elif (quiet_s := self._watch.quiet_s(counts.acquired, counts.written)) > series.silence_s:
            lacking = "frames come" if acquiring else "frames reach the file"
            silence = f"no more {lacking} for {quiet_s:.1f} s (limit {series.silence_s:g} s)"
            self._finish(flight, self._error(series, f"{found}, and {silence}"))
        return counts

    def counts(self) -> FrameCounts:
        """Ask the servers for the counts of the present series."""
        now = self._raw_counts()
        return FrameCounts(
            now.acquired - self._before.acquired,
            now.written,
            now.dropped - self._before.dropped,
            0 if self._documents is None else self._documents.num_declared,
        )

    def clock_offset(self) -> CameraOffset | None:
        """Return how far the camera's clock was behind over the last projections; ``None`` if too few came."""
        return None if self._series is None else self._camera_clock.offset(self._series.exposure_s)

    def end_series(self) -> DeviceStatus:
        """Stop exposing and close the file; the status is done when both are.

        A file that is being opened meanwhile is closed too, or not opened any more.
        """
        self._num_endings += 1
        return in_background(self, self._close)

    def describe_collect(self) -> dict[str, dict[str, Any]]:
        """Return the data keys of one frame."""
        return data_keys(self.name, f"ca://{self.hdf1.prefix}", self._frame_shape())

    def get_index(self) -> int:
        """Return how many frames of the series are in the file."""
        return int(self.hdf1.num_captured.get(use_monitor=False))

    def collect_asset_docs(self, index: int | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield documents for the frames in the file that were not yet declared."""
        if self._documents is None:
            return
        written = self.get_index()
        yield from self._documents.up_to(written if index is None else min(index, written))

    def _prepared(self) -> FrameSeries:
        if self._series is None:
            raise CameraError(f"{self.name}: no series is prepared. Call prepare(series) first.")
        return self._series

    def _raw_counts(self) -> FrameCounts:
        values = [
            int(signal.get(use_monitor=False))
            for signal in (self.cam.array_counter, self.hdf1.num_captured, self.hdf1.dropped_arrays)
        ]
        return FrameCounts(values[0], values[1], values[2], 0)

    def _frame_shape(self) -> tuple[int, int]:
        rows, columns = (
            int(signal.get(use_monitor=False)) for signal in (self.cam.array_size_y, self.cam.array_size_x)
        )
        return rows, columns

    def _error(self, series: FrameSeries, found: str) -> CameraError:
        asked = f"{series.num_frames} frames of kind {series.kind} were asked for"
        return CameraError(f"{self.name}: {asked}; {found}. See what {self.prefix} says, then retake.")

    def _finish(self, flight: DeviceStatus, error: CameraError | None) -> None:
        with self._ending:
            if flight.done:
                return
            if error is None:
                flight.set_finished()
            else:
                flight.set_exception(error)

    def _set_region(self, region: ChipRegion) -> None:
        chip_columns, chip_rows = (
            int(signal.get(use_monitor=False)) for signal in (self.cam.chip_columns, self.cam.chip_rows)
        )
        settings = chip_settings(region, chip_columns=chip_columns, chip_rows=chip_rows, name=self.name)
        put_all([(getattr(self.cam, key), value) for key, value in asdict(settings).items()])
        found = self._frame_shape()
        if found != (region.num_rows, region.num_columns):
            raise CameraError(
                f"{self.name}: frames of {region.num_rows} x {region.num_columns} were asked for, but the camera says "
                f"{found[0]} x {found[1]}. Check binning and the limits of the driver."
            )

    def _open(self, series: FrameSeries, num_endings: int) -> None:
        with self._opening:
            self._open_file(series, num_endings)

    def _open_file(self, series: FrameSeries, num_endings: int) -> None:
        self._require_not_ended(series, num_endings)
        self._close()
        self._series, self._documents, self._flight = None, None, None
        series.path.parent.mkdir(parents=True, exist_ok=True)
        put_all(
            [
                (self.hdf1.enable, 1),
                (self.hdf1.create_directory, -3),
                (self.hdf1.file_path, f"{series.path.parent}/"),
                (self.hdf1.file_name, series.path.stem),
                (self.hdf1.file_template, "%s%s.h5"),
                (self.hdf1.file_write_mode, 2),  # Stream
                (self.hdf1.swmr_mode, 1),  # or nobody could read the file while it grows
                (self.hdf1.num_capture, 0),  # until it is stopped
                (self.cam.array_callbacks, 1),
                (self.cam.image_mode, 1),  # Multiple
                (self.cam.num_images, series.num_frames),
                (self.cam.acquire_time, series.exposure_s),
                (self.cam.acquire_period, series.period_s),
            ]
        )
        self._require_not_ended(series, num_endings)
        # Not with put-completion: a real file plugin completes a capture only when it has ended.
        self.hdf1.capture.put(1)
        reaches(self.hdf1.capturing, 1)
        opened = str(self.hdf1.full_file_name.get(use_monitor=False))
        if Path(opened) != series.path:
            raise CameraError(
                f"{self.name}: {series.path} was asked for, but the file writer opened {opened or 'nothing'}. "
                "Check that the writer's machine sees this folder under the same name."
            )
        self._before = self._raw_counts()
        self._documents = FrameDocuments(self.name, series.path, self._frame_shape())
        self._series = series

    def _require_not_ended(self, series: FrameSeries, num_endings: int) -> None:
        if self._num_endings != num_endings:
            raise CameraError(f"{self.name}: the series was ended before {series.path} was opened. Prepare it again.")

    def _close(self) -> None:
        with self._opening:
            # Not with put-completion: it would queue behind that of the exposures it should stop.
            self.cam.acquire.put(0)
            reaches(self.cam.acquiring, 0)
            self.hdf1.capture.put(0)
            reaches(self.hdf1.capturing, 0)
