"""A recorded tomography scan: its darks, flats, projections and angles, whatever file it came from."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

MIN_PROJECTIONS_TO_SUSPECT = 5
HALF_TURN_RAD = np.pi
MAX_TURNS = 20  # of angles in radians: a half turn written in degrees would be 29
SUSPICION_RAD = 0.35  # about 20 deg: scans stop a little before or after a half or a whole turn


class RecordedScanError(ValueError):
    """A recorded scan is missing, damaged or says too little to be replayed."""


class AngleUnit(StrEnum):
    """Unit of recorded angles."""

    DEGREES = "deg"
    RADIANS = "rad"


class RecordedStack(Protocol):
    """Frames of one kind; each is read from disk when it is asked for, so that memory does not grow with the scan."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of frames, rows, columns."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """How the file keeps its counts."""

    def read(self, index: int) -> NDArray[Any]:
        """Return one frame, shape (rows, columns), as recorded.

        Raises
        ------
        RecordedScanError
            If the frame cannot be read.
        """


@dataclass(frozen=True)
class RecordedScan:
    """One recorded tomogram.

    ``angles_deg`` has one angle for each projection. ``notes`` are sentences for a person: what the files did not say
    and how it was taken.
    """

    darks: RecordedStack
    flats: RecordedStack
    projections: RecordedStack
    angles_deg: NDArray[np.float64]
    pixel_size_um: float | None
    energy_kev: float | None
    source: str
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a scan whose parts do not belong together."""
        for name, stack in (("darks", self.darks), ("flats", self.flats), ("projections", self.projections)):
            if stack.shape[0] < 1:
                raise RecordedScanError(
                    f"{self.source}: there are no {name}. A replay needs darks, flats and projections of the scan."
                )
            if stack.shape[1:] != self.projections.shape[1:]:
                raise RecordedScanError(
                    f"{self.source}: {name} have {_size(stack)}, projections {_size(self.projections)}. "
                    "Use darks and flats that were recorded with the same region of the chip and binning."
                )
        if 0 in self.frame_shape:
            raise RecordedScanError(f"{self.source}: the frames have {_size(self.projections)}, so there is no image.")
        if self.projections.shape[0] < 2:
            raise RecordedScanError(f"{self.source}: one projection is no tomogram; at least 2 are needed.")
        if len(self.angles_deg) != self.projections.shape[0]:
            raise RecordedScanError(
                f"{self.source}: {self.projections.shape[0]} projections but {len(self.angles_deg)} angles. "
                "Give one angle for each projection."
            )
        if not np.all(np.isfinite(self.angles_deg)):
            bad = int(np.flatnonzero(~np.isfinite(self.angles_deg))[0])
            raise RecordedScanError(
                f"{self.source}: the angle of projection {bad} is {self.angles_deg[bad]}. Correct the recorded angles."
            )
        if np.ptp(self.angles_deg) == 0:
            raise RecordedScanError(
                f"{self.source}: all {len(self.angles_deg)} projections have the same angle, "
                f"{self.angles_deg[0]:g} deg; a tomogram needs a rotation."
            )

    @property
    def frame_shape(self) -> tuple[int, int]:
        """Rows and columns of a frame."""
        return self.projections.shape[1:]


def angles_in_degrees(angles: NDArray[np.float64], unit: AngleUnit | None, source: str) -> NDArray[np.float64]:
    """Return recorded angles in degrees; without a ``unit`` they are taken as degrees unless they look like radians.

    Raises
    ------
    RecordedScanError
        If the unit is not known and many projections span about pi or 2 pi, or if radians are too many turns.
    """
    if unit is AngleUnit.RADIANS:
        if np.all(np.isfinite(angles)) and np.ptp(angles) > MAX_TURNS * 2 * np.pi:
            raise RecordedScanError(
                f"{source}: the angles span {np.ptp(angles):g} rad, {np.ptp(angles) / (2 * np.pi):.0f} turns; allowed "
                f"are {MAX_TURNS}. Are they degrees ('deg')?"
            )
        return np.degrees(angles)
    if unit is AngleUnit.DEGREES or len(angles) < MIN_PROJECTIONS_TO_SUSPECT or not np.all(np.isfinite(angles)):
        return angles
    span = float(np.ptp(angles))
    if min(abs(span - HALF_TURN_RAD), abs(span - 2 * HALF_TURN_RAD)) < SUSPICION_RAD:
        raise RecordedScanError(
            f"{source}: {len(angles)} angles span only {span:.4g}; these look like radians and their unit is not "
            "recorded. Say which it is with the angle unit 'rad' or 'deg'."
        )
    return angles


def _size(stack: RecordedStack) -> str:
    return f"{stack.shape[1]} rows x {stack.shape[2]} columns"
