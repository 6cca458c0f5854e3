"""A scan on disk as the final volume takes it: frames of each kind, read by rows, and what is known of them."""

import hashlib
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

MIN_ANGLES_TO_SUSPECT = 5
SUSPICION_RAD = 0.35  # about 20 deg: scans stop a little before or after a half or a whole turn
LARGEST_ANGLE_DEG = 1e9  # a month of a hundred tomograms a second; a damaged number is larger
PROJECTIONS_IN_FINGERPRINT = 16


class VolumeError(ValueError):
    """A volume cannot be made as asked; the message says what was found and what to do."""


class FrameStack(Protocol):
    """Frames of one kind on disk; it can be sent to another process, which reads the same files."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of frames, rows, columns."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """How the file keeps its counts."""

    @property
    def whole_frames(self) -> bool:
        """Whether some rows of a frame cost as much as all of it, as in a compressed file."""

    def rows(self, begin: int, stop: int, first_row: int, stop_row: int) -> NDArray[Any]:
        """Return rows of frames ``begin`` to ``stop - 1``, shape (frame, row, column), as recorded.

        Raises
        ------
        VolumeError
            If they cannot be read.
        """


@dataclass(frozen=True)
class RawScan:
    """One scan on disk.

    Attributes
    ----------
    projections, darks, flats
        Frames; ``flats_after`` were taken after the projections, None if all flats count alike.
    angles_deg
        Measured angle of each projection.
    scan_fractions
        Where each projection lies in time between ``flats`` (0) and ``flats_after`` (1); None without the latter.
    pixel_size_um
        Pixel size in the sample, None if nothing says it.
    num_expected
        Projections that were asked for, None if nothing says it.
    source, run_uid, tomogram
        What people call it; empty where it has no such name.
    """

    projections: FrameStack
    darks: FrameStack
    flats: FrameStack
    flats_after: FrameStack | None
    angles_deg: NDArray[np.float64]
    scan_fractions: NDArray[np.float64] | None
    pixel_size_um: float | None
    energy_kev: float | None
    num_expected: int | None
    source: str
    run_uid: str = ""
    tomogram: str = ""
    rehearsal: bool = False
    angle_unit_given: bool = False

    def __post_init__(self) -> None:
        """Refuse a scan whose parts do not belong together.

        Raises
        ------
        VolumeError
            With a sentence that says what does not.
        """
        num, *shape = self.projections.shape
        stacks = {"darks": self.darks, "flats": self.flats, "flats after the scan": self.flats_after}
        for name, stack in stacks.items():
            if stack is None:
                continue
            if stack.shape[0] < 1:
                raise VolumeError(f"{self.source}: there are no {name}, and without them counts are no transmission.")
            if list(stack.shape[1:]) != shape:
                raise VolumeError(
                    f"{self.source}: {name} have {stack.shape[1]} rows x {stack.shape[2]} columns, projections "
                    f"{shape[0]} x {shape[1]}. Take darks and flats with the region and binning of the projections."
                )
        if len(self.angles_deg) != num:
            raise VolumeError(f"{self.source}: {num} projections but {len(self.angles_deg)} angles; each needs one.")
        if not np.isfinite(self.angles_deg).all():
            bad = np.flatnonzero(~np.isfinite(self.angles_deg))
            raise VolumeError(
                f"{self.source}: {len(bad)} of {num} angles are not numbers (first: projection {bad[0]}). Correct them."
            )
        if num and (largest := float(np.abs(self.angles_deg).max())) > LARGEST_ANGLE_DEG:
            raise VolumeError(
                f"{self.source}: the angle of projection {int(np.abs(self.angles_deg).argmax())} is {largest:.3g} deg; "
                f"no stage turns beyond {LARGEST_ANGLE_DEG:.0g} deg. Correct the recorded angles."
            )
        span = float(np.ptp(self.angles_deg)) if num else 0.0
        in_radians = min(abs(span - np.pi), abs(span - 2 * np.pi)) < SUSPICION_RAD
        if in_radians and num >= MIN_ANGLES_TO_SUSPECT and not self.angle_unit_given:
            raise VolumeError(
                f"{self.source}: {num} angles span only {span:.4g} deg; these look like radians. "
                "Say which they are with --angle-unit rad or --angle-unit deg."
            )

    @property
    def frame_shape(self) -> tuple[int, int]:
        """Rows and columns of a frame."""
        return self.projections.shape[1:]

    def fingerprint(self) -> str:
        """Return a checksum of angles, shapes, first dark and flat, and a sample of whole projections."""
        digest = hashlib.sha256()
        digest.update(repr((self.projections.shape, str(self.projections.dtype), self.pixel_size_um)).encode())
        digest.update(np.ascontiguousarray(self.angles_deg).tobytes())
        num, num_rows, _ = self.projections.shape
        for stack in (self.darks, self.flats):
            digest.update(np.ascontiguousarray(stack.rows(0, 1, 0, num_rows)).tobytes())
        for index in np.unique(np.linspace(0, num - 1, min(num, PROJECTIONS_IN_FINGERPRINT)).astype(int)):
            digest.update(np.ascontiguousarray(self.projections.rows(index, index + 1, 0, num_rows)).tobytes())
        return digest.hexdigest()
