"""A tomogram of a run directory as a scan on disk."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_analysis.final_volume.raw_scan import RawScan, VolumeError
from live_analysis.frame_reader import FrameFileError, FrameReader
from live_analysis.run_follower import TomogramRun
from live_analysis.virtual_frames import FrameSource, frame_source
from operando.model.declared_size import VOLUME, DeclaredSizeError, check_size
from operando.model.frames import FrameKind
from operando.model.run_directory import RunDirectory

FRAMES_AT_ONCE = 64


@dataclass(frozen=True)
class RunFrames:
    """Committed frames of one frames file, also of one whose writer was killed."""

    path: Path
    shape: tuple[int, int, int]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Frames files hold 16-bit counts."""
        return np.dtype(np.uint16)

    @property
    def whole_frames(self) -> bool:
        """The writer does not compress."""
        return False

    def rows(self, begin: int, stop: int, first_row: int, stop_row: int) -> NDArray[Any]:
        """Return rows of some frames, shape (frame, row, column)."""
        shape = stop - begin, stop_row - first_row, self.shape[2]
        reader = FrameReader(self.path)
        try:
            check_size(f"{self.path}", shape, VOLUME)
            found = np.empty(shape, np.uint16)
            for first in range(begin, stop, FRAMES_AT_ONCE):
                last = min(first + FRAMES_AT_ONCE, stop)
                found[first - begin : last - begin] = reader.rows(first, last, first_row, stop_row)
        except DeclaredSizeError as error:
            raise VolumeError(str(error)) from error
        except (FrameFileError, OSError) as error:
            raise VolumeError(f"{error} Copy the run again from where it was recorded.") from error
        finally:
            reader.close()
        return found


def scan_of_run(run: RunDirectory, tomogram: TomogramRun) -> RawScan:
    """Return a tomogram of a run with all its committed frames.

    Raises
    ------
    VolumeError
        If a kind of frames is missing, or the frames do not belong together.
    """
    try:
        found = {kind: frame_source(tomogram, kind, run) for kind in FrameKind}
    except FrameFileError as error:
        raise VolumeError(str(error)) from error
    projections, darks, flats = (
        _needed(found[kind], kind, tomogram, run) for kind in (FrameKind.PROJECTION, FrameKind.DARK, FrameKind.FLAT)
    )
    after = found[FrameKind.FLAT_AFTER]
    expected = tomogram.start.get("num_projections")
    return RawScan(
        projections=_frames(projections),
        darks=_frames(darks),
        flats=_frames(flats),
        flats_after=None if after is None else _frames(after),
        angles_deg=projections.angles_deg,
        scan_fractions=None if after is None else _fractions(projections, flats, after),
        pixel_size_um=_number(tomogram.said("pixel_size_um")),
        energy_kev=_number(tomogram.said("energy_kev")),
        num_expected=expected if isinstance(expected, int) else None,
        source=f"{run.path} tomogram {tomogram.name}, attempt {tomogram.attempt}",
        run_uid=tomogram.uid,
        tomogram=tomogram.name,
        rehearsal=bool(tomogram.start.get("rehearsal")),
    )


def _needed(source: FrameSource | None, kind: FrameKind, tomogram: TomogramRun, run: RunDirectory) -> FrameSource:
    if source is None:
        reader = FrameReader(tomogram.frames_file(kind, run))
        reader.num_frames()
        raise VolumeError(
            f"{tomogram.name}, attempt {tomogram.attempt}: there are no {kind.value} frames in {reader.path}"
            f"{f' ({reader.refusal})' if reader.refusal else ''}; a volume needs darks, flats and projections."
        )
    return source


def _frames(source: FrameSource) -> RunFrames:
    return RunFrames(source.path.resolve(), (source.num_frames, *source.frame_shape))


def _fractions(projections: FrameSource, flats: FrameSource, after: FrameSource) -> NDArray[np.float64]:
    """Return where projections lie in time, 0 at the flats before them and 1 at those after them."""
    before_s, after_s = float(flats.times.mean()), float(after.times.mean())
    if not after_s > before_s:
        raise VolumeError(
            f"{after.path}: the flats after the scan have the mean time {after_s:.3f} s, those before it "
            f"{before_s:.3f} s. Were the files mixed up?"
        )
    return np.asarray(np.clip((projections.times - before_s) / (after_s - before_s), 0, 1), np.float64)


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")
    return float(value) if is_number and isinstance(value, int | float) else None
