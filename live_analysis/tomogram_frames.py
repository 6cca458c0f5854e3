"""The counts of one tomogram: dark and flat while they arrive, then attenuation integrals of the rows asked for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.corrections.beam_intensity import BeamIntensity, beam_intensity
from live_analysis.corrections.beam_model import BeamModel, Flats
from live_analysis.corrections.broken_pixels import BrokenPixels, find_broken_pixels
from live_analysis.corrections.counts_correction import CorrectionSettings, CountsCorrection, Integrals
from live_analysis.corrections.frame_statistics import MAX_COUNTS, FrameStatistics, RunningStatistics
from live_analysis.corrections.overview import overview
from live_analysis.corrections.zingers import remove_zingers
from live_analysis.frame_reader import FrameFileError, FrameReader
from live_analysis.live.binned_frames import binned_transmission
from live_analysis.normalisation import attenuation_integral, repair_pixels
from operando.model.frames import FrameKind

OPAQUE = 0.02  # rows darker than this (a steel piston) carry no information
FRAMES_AT_ONCE = 32
NEVER = 2**62  # counts at which a pixel of a recorded file of real numbers stops counting


class MissingFramesError(ValueError):
    """A tomogram without the frames that a reconstruction needs."""


@dataclass(frozen=True)
class _Detector:
    """What darks and flats that had come by then say."""

    num_received: tuple[int, ...]
    dark: NDArray[np.float32]
    broken: BrokenPixels
    beam: BeamModel


@dataclass(frozen=True)
class _Prepared:
    """What is known of the beam when the frames that had come by then are corrected."""

    num_received: tuple[int, ...]
    scan_fractions: NDArray[np.float64]
    shares: NDArray[np.float64]
    intensity: BeamIntensity


class TomogramFrames:
    """Reads the frames files of a tomogram by index while they grow; flats after the scan count once they are there."""

    def __init__(self, readers: dict[FrameKind, FrameReader]) -> None:
        self._readers = readers
        self._statistics = {
            kind: RunningStatistics() for kind in (FrameKind.DARK, FrameKind.FLAT, FrameKind.FLAT_AFTER)
        }
        self._overviews: dict[FrameKind, list[NDArray[np.float32]]] = {kind: [] for kind in FrameKind}
        self._angles: list[NDArray[np.float64]] = []
        self._times_s: list[NDArray[np.float64]] = []
        self._settings = CorrectionSettings()
        self._detector: _Detector | None = None
        self._prepared: _Prepared | None = None
        self.num_received = dict.fromkeys(FrameKind, 0)

    def correct_with(self, settings: CorrectionSettings) -> None:
        """Choose what is done to the counts beside what every scan needs."""
        self._settings, self._prepared = settings, None

    def poll(self) -> int:
        """Take in what was added to the files; return how many frames that were."""
        num = 0
        for kind, reader in self._readers.items():
            while (batch := reader.frames_since(self.num_received[kind], max_num=FRAMES_AT_ONCE)) is not None:
                if kind in self._statistics:
                    self._statistics[kind].add(batch.images, batch.times)
                else:
                    self._angles.append(batch.angles)
                    self._times_s.append(batch.times)
                if kind is not FrameKind.DARK:
                    self._overviews[kind].append(overview(batch.images))
                self.num_received[kind] += len(batch)
                num += len(batch)
        return num

    @property
    def angles_deg(self) -> NDArray[np.float64]:
        """Measured angles of the projections received so far."""
        return np.concatenate(self._angles) if self._angles else np.zeros(0)

    @property
    def frame_shape(self) -> tuple[int, int]:
        """Rows and columns of one projection.

        Raises
        ------
        MissingFramesError
            If there is no projection.
        """
        reader = self._readers[FrameKind.PROJECTION]
        shape = reader.frame_shape()
        if shape is None or not self.num_received[FrameKind.PROJECTION]:
            why = f" ({reader.refusal})" if reader.refusal else ""
            raise MissingFramesError(f"{reader.path}: holds no projection, so nothing can be reconstructed{why}.")
        return shape

    @property
    def settings(self) -> CorrectionSettings:
        """What is done to the counts beside what every scan needs."""
        return self._settings

    def corrections(self) -> dict[str, str | int | float]:
        """Say for people and programs what is done to the counts, and how many pixels it concerns."""
        prepared, detector = self._prepare(), self._judged_detector()
        told: dict[str, str | int | float] = {
            f"num_{kind}_pixels": num for kind, num in detector.broken.counts().items()
        }
        told["flat"] = detector.beam.method
        told["beam_intensity"] = prepared.intensity.source
        told["largest_beam_change"] = prepared.intensity.drift
        return told

    def transparent_rows(self) -> slice:
        """Return the longest range of rows through which the beam comes in the first and the middle projection."""
        prepared, detector = self._prepare(), self._judged_detector()
        num_rows, _ = self.frame_shape
        open_rows = np.ones(num_rows, bool)
        beam = detector.beam.of_rows(slice(0, num_rows))
        for index in (0, self.num_received[FrameKind.PROJECTION] // 2):
            frame = slice(index, index + 1)
            light = beam.beam(prepared.scan_fractions[frame], prepared.shares[frame])[0]
            usable = (light > 0) & ~detector.broken.mask
            counts = self._readers[FrameKind.PROJECTION].rows(index, index + 1, 0, num_rows)[0] - detector.dark
            seen = np.divide(counts, light, out=np.full_like(light, np.nan), where=usable)
            open_rows &= [bool(np.isfinite(row).any()) and np.nanmedian(row) > OPAQUE for row in seen]
        edges = np.flatnonzero(np.diff(np.concatenate([[False], open_rows, [False]]).astype(int)))
        ranges = sorted(zip(edges[::2], edges[1::2], strict=True), key=lambda pair: pair[1] - pair[0])
        if not ranges:
            raise MissingFramesError("The beam comes through no row of the projections: is the shutter or flat wrong?")
        return slice(int(ranges[-1][0]), int(ranges[-1][1]))

    def integrals(self, rows: slice, frames: slice = slice(None)) -> Integrals:
        """Return the attenuation integrals of some rows of all, or some, projections received so far.

        Raises
        ------
        MissingFramesError, FrameFileError, BrokenPixelsError, FlatFractionError, DeadFrameError, PhaseError
            If darks, flats and projections do not allow it; the message says why.
        """
        prepared = self._prepare()
        first, stop, _ = frames.indices(self.num_received[FrameKind.PROJECTION])
        chosen, brightness = slice(first, stop), prepared.intensity.brightness
        return self._corrected(
            self._judged_detector(),
            rows,
            chosen,
            prepared.scan_fractions[chosen],
            prepared.shares[chosen],
            None if brightness is None else brightness[chosen],
        )

    def binned_integrals(self, frames: slice, rows: slice, factor: int) -> NDArray[np.float32]:
        """Return the integrals of some projections as if ``factor`` x ``factor`` pixels were one; there is no NaN.

        What takes all projections to judge, changes of the beam's brightness, and what `correct_with` asks for are left
        to the end of the scan.

        Raises
        ------
        MissingFramesError, FrameFileError, BrokenPixelsError, FlatFractionError, DeadFrameError
            If darks, flats and projections do not allow it; the message says why.
        """
        detector = self._judged_detector()
        fractions = self._scan_fractions()[frames]
        shares = detector.beam.shares(np.concatenate(self._overviews[FrameKind.PROJECTION])[frames], fractions)
        counts = self._readers[FrameKind.PROJECTION].rows(frames.start, frames.stop, rows.start, rows.stop)
        through = binned_transmission(
            counts,
            detector.dark[rows],
            detector.beam.of_rows(rows).beam(fractions, shares),
            ~detector.broken.mask[rows],
            MAX_COUNTS if np.issubdtype(counts.dtype, np.integer) else NEVER,
            factor,
        )
        return repair_pixels(attenuation_integral(remove_zingers(through).values).values).values

    def _corrected(
        self,
        detector: _Detector,
        rows: slice,
        frames: slice,
        scan_fractions: NDArray[np.float64],
        shares: NDArray[np.float64],
        brightness: NDArray[np.float32] | None,
    ) -> Integrals:
        correction = CountsCorrection(detector.dark, detector.broken, self._settings)
        needed = correction.rows_needed(rows)
        beam = detector.beam.of_rows(needed)
        num = frames.stop - frames.start
        values = np.empty((num, rows.stop - rows.start, self.frame_shape[1]), np.float32)
        num_dead = num_zingers = 0
        for begin in range(0, num, FRAMES_AT_ONCE):
            batch = slice(begin, min(begin + FRAMES_AT_ONCE, num))
            first = frames.start + begin
            counts = self._readers[FrameKind.PROJECTION].rows(
                first, frames.start + batch.stop, needed.start, needed.stop
            )
            light = beam.beam(scan_fractions[batch], shares[batch])
            share = None if brightness is None else brightness[batch]
            found = correction.integrals(counts, light, rows, first_index=first, brightness=share)
            values[batch] = found.values
            num_dead += found.num_dead
            num_zingers += found.num_zingers
        return Integrals(values, num_dead, num_zingers)

    def close(self) -> None:
        """Close the files."""
        for reader in self._readers.values():
            reader.close()

    def _prepare(self) -> _Prepared:
        """Judge darks, flats and the beam, once for the frames that are there."""
        key = tuple(self.num_received.values())
        if self._prepared is not None and self._prepared.num_received == key:
            return self._prepared
        detector = self._judged_detector()
        beam = detector.beam
        fractions = self._scan_fractions()
        overviews = np.concatenate(self._overviews[FrameKind.PROJECTION])
        shares = beam.shares(overviews, fractions)
        through = beam.transmission_overview(overviews, fractions, shares)
        open_rows = np.nanmedian(np.nan_to_num(through), axis=(0, 2)) > OPAQUE
        intensity = (
            beam_intensity(through[:, open_rows], object_of_view=self._settings.object_of_view)
            if open_rows.any()
            else BeamIntensity(None, "not followed: the beam comes through no row")
        )
        self._prepared = _Prepared(key, fractions, shares, intensity)
        return self._prepared

    def _judged_detector(self) -> _Detector:
        """Judge darks and flats, once for those that are there: projections come in many batches."""
        key = tuple(self.num_received[kind] for kind in self._statistics)
        if self._detector is not None and self._detector.num_received == key:
            return self._detector
        dark, before, after = self._dark_and_flats()
        flats = [
            Flats(side.mean, np.concatenate(self._overviews[kind]))
            for kind, side in ((FrameKind.FLAT, before), (FrameKind.FLAT_AFTER, after))
            if side is not None
        ]
        beam = BeamModel(dark.mean, flats[0], flats[1] if len(flats) > 1 else None, self._flats_of_rows)
        self._detector = _Detector(key, dark.mean, find_broken_pixels(dark, before), beam)
        return self._detector

    def _dark_and_flats(self) -> tuple[FrameStatistics, FrameStatistics, FrameStatistics | None]:
        dark, flat, after = (statistics.result() for statistics in self._statistics.values())
        missing = [kind.value for kind, mean in ((FrameKind.DARK, dark), (FrameKind.FLAT, flat)) if mean is None]
        if dark is None or flat is None:
            raise MissingFramesError(
                f"The tomogram has no {' and no '.join(missing)} frames, and without them counts do not become "
                "transmission. Take the tomogram again."
            )
        shapes = {found.mean.shape for found in (dark, flat, after) if found is not None}
        if shapes != {self.frame_shape}:
            raise FrameFileError(
                f"Projections have shape {self.frame_shape}, flats {flat.mean.shape}, darks {dark.mean.shape}"
                f"{'' if after is None else f', flats after the scan {after.mean.shape}'}: all must agree. "
                "Were the files mixed up?"
            )
        return dark, flat, after

    def _flats_of_rows(self, rows: slice) -> NDArray[np.float32]:
        parts = [
            self._readers[kind].rows(0, self.num_received[kind], rows.start, rows.stop)
            for kind in (FrameKind.FLAT, FrameKind.FLAT_AFTER)
            if self.num_received[kind]
        ]
        return np.concatenate(parts).astype(np.float32)

    def _scan_fractions(self) -> NDArray[np.float64]:
        """Return where projections lie in time: 0 at the flats before them, 1 at the flats after them."""
        times_s = np.concatenate(self._times_s)
        if not self.num_received[FrameKind.FLAT_AFTER]:
            return np.zeros(len(times_s))
        before_s, after_s = (self._statistics[kind].time_s for kind in (FrameKind.FLAT, FrameKind.FLAT_AFTER))
        between_s = after_s - before_s if after_s > before_s else float("nan")
        return np.asarray((times_s - before_s) / between_s, np.float64)
