"""The counts of one tomogram: dark and flat while they arrive, then attenuation integrals of the rows asked for."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_analysis.corrections.beam_intensity import BeamIntensity, beam_intensity
from live_analysis.corrections.beam_model import BeamModel, Flats
from live_analysis.corrections.beam_steps import unsteady_projections
from live_analysis.corrections.broken_pixels import BrokenPixels, find_broken_pixels
from live_analysis.corrections.counts_correction import CorrectionSettings, CountsCorrection, Integrals
from live_analysis.corrections.frame_statistics import FrameStatistics, RunningStatistics, limit_of_type
from live_analysis.corrections.overview import has_stopped, overview
from live_analysis.corrections.zingers import remove_zingers
from live_analysis.frame_reader import FrameFileError, FrameReader
from live_analysis.live.binned_frames import binned_transmission
from live_analysis.normalisation import attenuation_integral, repair_pixels
from operando.model.frames import FrameKind

OPAQUE = 0.02  # rows darker than this (a steel piston) carry no information
NO_BEAM = 0.005  # transmission; a projection whose brightest block of pixels is darker was taken without beam
FRAMES_AT_ONCE = 32
NEVER = 2**62  # counts at which a pixel of a recorded file of wide or real numbers stops counting


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
    """What is known of the beam when the frames that had come by then are corrected; ``lit`` are their indices."""

    num_received: tuple[int, ...]
    scan_fractions: NDArray[np.float64]
    shares: NDArray[np.float64]
    intensity: BeamIntensity
    num_unsteady: int
    lit: NDArray[np.intp]


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
                    seen = overview(batch.images)
                    if kind is FrameKind.PROJECTION:
                        seen[has_stopped(seen, limit_of_type(batch.images.dtype))] = (
                            0  # as without beam: it is left out
                        )
                    self._overviews[kind].append(seen)
                self.num_received[kind] += len(batch)
                num += len(batch)
        return num

    @property
    def angles_deg(self) -> NDArray[np.float64]:
        """Measured angles of the projections received so far, without those that were taken without beam."""
        return np.concatenate(self._angles)[self._prepare().lit] if self._angles else np.zeros(0)

    @property
    def num_without_beam(self) -> int:
        """Projections that are left out: no light came through, nor beside, the sample, or the camera was flooded."""
        return self.num_received[FrameKind.PROJECTION] - len(self._prepare().lit)

    @property
    def num_of_unsteady_beam(self) -> int:
        """Projections brighter or darker than their neighbours although nothing beside the sample tells the beam."""
        return self._prepare().num_unsteady

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
        told["num_frames_without_beam"] = self.num_without_beam
        told["num_frames_of_unsteady_beam"] = self.num_of_unsteady_beam
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
        for index in prepared.lit[[0, len(prepared.lit) // 2]]:
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

    def integrals(self, rows: slice, frames: slice = slice(None), room: NDArray[np.float32] | None = None) -> Integrals:
        """Return the attenuation integrals of some rows of all, or some, projections of `angles_deg`.

        Written into ``room`` where that has their shape, so that memory that was used once serves again.

        Raises
        ------
        MissingFramesError, FrameFileError, BrokenPixelsError, FlatFractionError, DeadFrameError, PhaseError
            If darks, flats and projections do not allow it; the message says why.
        """
        prepared = self._prepare()
        indices, brightness = prepared.lit[frames], prepared.intensity.brightness
        return self._corrected(
            rows,
            indices,
            prepared.scan_fractions[indices],
            prepared.shares[indices],
            None if brightness is None else brightness[indices],
            room,
        )

    def binned_integrals(
        self, frames: slice, rows: slice, factor: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Return the integrals of some received projections as if blocks of pixels were one, and their angles.

        Blocks have ``factor`` x ``factor`` pixels; there is no NaN. Projections without beam are left out. What takes
        all projections to judge, changes of the beam's brightness, and what `correct_with` asks for are left to the
        end of the scan.

        Raises
        ------
        MissingFramesError, FrameFileError, BrokenPixelsError, FlatFractionError, DeadFrameError
            If darks, flats and projections do not allow it; the message says why.
        """
        detector, fractions = self._judged_detector(), self._scan_fractions()
        overviews = np.concatenate(self._overviews[FrameKind.PROJECTION])
        none = np.zeros((len(overviews), detector.beam.components.num_components))
        indices = np.arange(len(overviews))[frames]
        through = detector.beam.transmission_overview(overviews[indices], fractions[indices], none[indices])
        indices = indices[_is_lit(through)]
        if not indices.size:
            shape = (rows.stop - rows.start) // factor, self.frame_shape[1] // factor
            return np.zeros((0, *shape), np.float32), np.zeros(0)
        shares = detector.beam.shares(overviews, fractions, indices)
        counts = self._counts(indices, rows)
        blocks = binned_transmission(
            counts,
            detector.dark[rows],
            detector.beam.of_rows(rows).beam(fractions[indices], shares),
            ~detector.broken.mask[rows],
            int(min(limit_of_type(counts.dtype), NEVER)),
            factor,
        )
        values = repair_pixels(attenuation_integral(remove_zingers(blocks).values).values).values
        return values, np.concatenate(self._angles)[indices]

    def _corrected(
        self,
        rows: slice,
        indices: NDArray[np.intp],
        scan_fractions: NDArray[np.float64],
        shares: NDArray[np.float64],
        brightness: NDArray[np.float32] | None,
        room: NDArray[np.float32] | None,
    ) -> Integrals:
        detector = self._judged_detector()
        correction = CountsCorrection(detector.dark, detector.broken, self._settings)
        needed = correction.rows_needed(rows)
        beam = detector.beam.of_rows(needed)
        shape = len(indices), rows.stop - rows.start, self.frame_shape[1]
        values = room if room is not None and room.shape == shape else np.empty(shape, np.float32)
        num_dead = num_zingers = 0
        for begin in range(0, len(indices), FRAMES_AT_ONCE):
            batch = slice(begin, min(begin + FRAMES_AT_ONCE, len(indices)))
            taken = indices[batch]
            counts = self._counts(taken, needed)
            light = beam.beam(scan_fractions[batch], shares[batch])
            share = None if brightness is None else brightness[batch]
            found = correction.integrals(counts, light, rows, indices=taken, brightness=share)
            values[batch] = found.values
            num_dead += found.num_dead
            num_zingers += found.num_zingers
        return Integrals(values, num_dead, num_zingers)

    def _counts(self, indices: NDArray[np.intp], rows: slice) -> NDArray[Any]:
        first, stop = int(indices[0]), int(indices[-1]) + 1
        return self._readers[FrameKind.PROJECTION].rows(first, stop, rows.start, rows.stop)[indices - first]

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
        shares = np.zeros((len(overviews), beam.components.num_components))
        lit = np.flatnonzero(_is_lit(beam.transmission_overview(overviews, fractions, shares)))
        if not lit.size:
            raise MissingFramesError(f"None of the {len(overviews)} projections has any light: was the shutter closed?")
        shares[lit] = beam.shares(overviews[lit], fractions[lit])
        through = beam.transmission_overview(overviews[lit], fractions[lit], shares[lit])
        open_rows = np.nanmedian(np.nan_to_num(through), axis=(0, 2)) > OPAQUE
        intensity, num_unsteady = BeamIntensity(None, "not followed: the beam comes through no row"), 0
        if open_rows.any():
            seen = through[:, open_rows]
            intensity = beam_intensity(seen, object_of_view=self._settings.object_of_view)
            if intensity.brightness is None:
                num_unsteady = int(np.count_nonzero(unsteady_projections(seen)))
        if intensity.brightness is not None:
            of_all = np.ones(len(overviews), np.float32)
            of_all[lit] = intensity.brightness
            intensity = replace(intensity, brightness=of_all)
        self._prepared = _Prepared(key, fractions, shares, intensity, num_unsteady, lit)
        return self._prepared

    def _judged_detector(self) -> _Detector:
        """Judge darks and flats, once for those that are there: projections come in many batches."""
        key = tuple(self.num_received[kind] for kind in self._statistics)
        if self._detector is not None and self._detector.num_received == key:
            return self._detector
        dark, before, after = self._dark_and_flats()
        broken = find_broken_pixels(dark, before)
        flats = [
            Flats(side.mean, np.concatenate(self._overviews[kind]))
            for kind, side in ((FrameKind.FLAT, before), (FrameKind.FLAT_AFTER, after))
            if side is not None
        ]
        beam = BeamModel(dark.mean, flats[0], flats[1] if len(flats) > 1 else None, self._flats_of_rows)
        self._detector = _Detector(key, dark.mean, broken, beam)
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


def _is_lit(through: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether some block of pixels gets light, for overviews of transmission of shape (frame, row, column)."""
    return np.asarray(np.nan_to_num(through).max(axis=(1, 2)) >= NO_BEAM)
