"""The counts of one tomogram: dark and flat while they arrive, then attenuation integrals of the rows asked for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.frame_reader import FrameFileError, FrameReader
from live_analysis.live.binned_frames import binned
from live_analysis.normalisation import attenuation_integral, flat_between, remove_zingers, repair_pixels, transmission
from operando.model.frames import FrameKind

ZINGER_NOISES = 12.0  # a zinger exceeds its neighbours by so many standard deviations of the noise
OPAQUE = 0.02  # rows darker than this (a steel piston) carry no information
FRAMES_AT_ONCE = 32


class MissingFramesError(ValueError):
    """A tomogram without the frames that a reconstruction needs."""


@dataclass(frozen=True)
class Integrals:
    """Attenuation integrals of some rows: shape (frame, row, column), without NaN; repaired pixels were counted."""

    values: NDArray[np.float32]
    num_dead: int
    num_zingers: int


class RunningMean:
    """Mean of frames that arrive in batches, and of their times."""

    def __init__(self) -> None:
        self._sum: NDArray[np.float64] | None = None
        self._time_sum_s = 0.0
        self.num_frames = 0

    @property
    def time_s(self) -> float:
        """Mean time of the frames, in s since the Unix epoch; NaN if none has come."""
        return self._time_sum_s / self.num_frames if self.num_frames else float("nan")

    def add(self, images: NDArray[np.uint16], times_s: NDArray[np.float64]) -> None:
        """Take a batch in: images of shape (frame, row, column), times of shape (frame,)."""
        total = images.sum(axis=0, dtype=np.float64)
        self._sum = total if self._sum is None else self._sum + total
        self._time_sum_s += float(times_s.sum())
        self.num_frames += len(images)

    def result(self) -> NDArray[np.float32] | None:
        """Return the mean of what has come so far, None if nothing has."""
        return None if self._sum is None else (self._sum / self.num_frames).astype(np.float32)


class TomogramFrames:
    """Reads the frames files of a tomogram by index while they grow; flats after the scan count once they are there."""

    def __init__(self, readers: dict[FrameKind, FrameReader]) -> None:
        self._readers = readers
        self._means = {kind: RunningMean() for kind in (FrameKind.DARK, FrameKind.FLAT, FrameKind.FLAT_AFTER)}
        self._angles: list[NDArray[np.float64]] = []
        self._times_s: list[NDArray[np.float64]] = []
        self.num_received = dict.fromkeys(FrameKind, 0)

    def poll(self) -> int:
        """Take in what was added to the files; return how many frames that were."""
        num = 0
        for kind, reader in self._readers.items():
            while (batch := reader.frames_since(self.num_received[kind], max_num=FRAMES_AT_ONCE)) is not None:
                if kind in self._means:
                    self._means[kind].add(batch.images, batch.times)
                else:
                    self._angles.append(batch.angles)
                    self._times_s.append(batch.times)
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

    def transparent_rows(self) -> slice:
        """Return the longest range of rows through which the beam comes in the first and the middle projection."""
        num_rows, _ = self.frame_shape
        open_rows = np.ones(num_rows, bool)
        for index in (0, self.num_received[FrameKind.PROJECTION] // 2):
            seen = self._transmission(index, index + 1, 0, num_rows)[0]
            open_rows &= np.nanmedian(seen, axis=1) > OPAQUE
        edges = np.flatnonzero(np.diff(np.concatenate([[False], open_rows, [False]]).astype(int)))
        ranges = sorted(zip(edges[::2], edges[1::2], strict=True), key=lambda pair: pair[1] - pair[0])
        if not ranges:
            raise MissingFramesError("The beam comes through no row of the projections: is the shutter or flat wrong?")
        return slice(int(ranges[-1][0]), int(ranges[-1][1]))

    def integrals(self, rows: slice) -> Integrals:
        """Return the attenuation integrals of some rows of all projections received so far."""
        num = self.num_received[FrameKind.PROJECTION]
        values = np.empty((num, rows.stop - rows.start, self.frame_shape[1]), np.float32)
        num_dead = num_zingers = 0
        for begin in range(0, num, FRAMES_AT_ONCE):
            end = min(begin + FRAMES_AT_ONCE, num)
            part = _cleaned(self._transmission(begin, end, rows.start, rows.stop))
            values[begin:end] = part.values
            num_dead += part.num_dead
            num_zingers += part.num_zingers
        return Integrals(values, num_dead, num_zingers)

    def binned_integrals(self, begin: int, end: int, rows: slice, factor: int) -> Integrals:
        """Return the attenuation integrals of projections ``begin`` to ``end - 1`` as larger pixels would see them."""
        return _cleaned(binned(self._transmission(begin, end, rows.start, rows.stop), factor))

    def close(self) -> None:
        """Close the files."""
        for reader in self._readers.values():
            reader.close()

    def _transmission(self, begin: int, end: int, first_row: int, stop_row: int) -> NDArray[np.float32]:
        dark, flat, after = (mean.result() for mean in self._means.values())
        missing = [kind.value for kind, mean in ((FrameKind.DARK, dark), (FrameKind.FLAT, flat)) if mean is None]
        if dark is None or flat is None:
            raise MissingFramesError(
                f"The tomogram has no {' and no '.join(missing)} frames, and without them counts do not become "
                "transmission. Take the tomogram again."
            )
        shapes = {mean.shape for mean in (dark, flat, after) if mean is not None}
        if shapes != {self.frame_shape}:
            raise FrameFileError(
                f"Projections have shape {self.frame_shape}, flats {flat.shape}, darks {dark.shape}"
                f"{'' if after is None else f', flats after the scan {after.shape}'}: all must agree. "
                "Were the files mixed up?"
            )
        counts = self._readers[FrameKind.PROJECTION].rows(begin, end, first_row, stop_row)
        flat, dark = flat[first_row:stop_row], dark[first_row:stop_row]
        if after is None:
            return transmission(counts, flat, dark)
        after = after[first_row:stop_row]
        flats = [flat_between(flat, after, fraction) for fraction in self._scan_fractions(begin, end)]
        return np.stack([transmission(frame, beam, dark) for frame, beam in zip(counts, flats, strict=True)])

    def _scan_fractions(self, begin: int, end: int) -> NDArray[np.float64]:
        """Return where projections lie in time: 0 at the flats before them, 1 at the flats after them."""
        before_s, after_s = (self._means[kind].time_s for kind in (FrameKind.FLAT, FrameKind.FLAT_AFTER))
        between_s = after_s - before_s if after_s > before_s else float("nan")
        return (np.concatenate(self._times_s)[begin:end] - before_s) / between_s


def _cleaned(seen: NDArray[np.float32]) -> Integrals:
    logged = attenuation_integral(seen)
    repaired = repair_pixels(logged.values)
    noise = float(np.median(np.abs(np.diff(repaired.values, axis=2)))) / 0.6745 / np.sqrt(2)
    cleaned = remove_zingers(repaired.values, threshold=ZINGER_NOISES * max(noise, 1e-4))
    return Integrals(cleaned.values, repaired.num_pixels, cleaned.num_pixels)
