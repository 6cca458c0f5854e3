"""Three slices of a live volume while it grows, with all that its projections were relieved of put back."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.cylinder_model import CylinderFit
from live_analysis.reconstruction.lattice import Lattice
from live_analysis.reconstruction.preview import Preview, Slices
from live_analysis.reconstruction.preview_planes import FRAMES_AT_ONCE

MOST_KEPT_BYTES = 512 * 2**20  # about all of 720 projections of 512 x 512; of a longer scan the latest ones are kept
BYTES_PER_PIXEL = 2


class GrowingSlices:
    """Takes the filtered projections of a volume; its planes stay where they are when the volume is begun anew.

    Parameters
    ----------
    num_rows, num_columns, pixel_size_um
        Shape of a projection, and its pixel in the sample.
    angle_step_deg
        About how far neighbouring angles will lie apart.
    num_projections
        How many there will be: they are kept, in two bytes per pixel, as far as 512 MiB hold them, so that planes that
        move can be filled.
    """

    def __init__(
        self, num_rows: int, num_columns: int, pixel_size_um: float, *, angle_step_deg: float, num_projections: int
    ) -> None:
        self.volume_shape = num_rows, num_columns, num_columns
        self._pixel_size_um, self._step_deg = pixel_size_um, angle_step_deg
        held = MOST_KEPT_BYTES // max(BYTES_PER_PIXEL * num_rows * num_columns, 1)
        self._num_kept = max(min(num_projections, held), FRAMES_AT_ONCE)
        self._at = num_rows // 2, num_columns // 2, num_columns // 2
        self._cylinder: CylinderFit | None = None
        self._preview: Preview | None = None

    @property
    def num_projections(self) -> int:
        """Projections in the slices."""
        return 0 if self._preview is None else self._preview.num_projections

    @property
    def grey_values_absolute(self) -> bool:
        """Whether the declared cell is part of the slices."""
        return self._cylinder is not None

    def begin(self, axis_column: float, cylinder: CylinderFit | None) -> None:
        """Forget all projections: a volume begins, without the cylinder in it.

        Raises
        ------
        ProjectionError
            If the axis lies outside the view.
        """
        self._preview = None  # what it keeps goes before as much is asked for again
        self._cylinder = cylinder
        self._preview = Preview(
            *self.volume_shape[:2], axis_column, angle_step_deg=self._step_deg, num_kept=self._num_kept
        )
        self._move()

    def add(self, filtered: NDArray[np.float32], angles_deg: NDArray[np.float64], first: int) -> None:
        """Add projections as a `StreamingVolume` gives them to its watcher."""
        assert self._preview is not None
        self._preview.add(filtered, angles_deg, first)

    def move(self, at: tuple[int, int, int]) -> None:
        """Let the planes pass through another voxel (row, y, x) of the volume."""
        self._at = at
        if self._preview is not None:
            self._move()

    def slices(self) -> Slices:
        """Return the slices of what has come, in 1/cm.

        Raises
        ------
        ProjectionError
            If nothing has come.
        """
        assert self._preview is not None
        slices = self._preview.slices()
        if self._cylinder is None:
            return slices
        square, pixel_size_um = Lattice.square(self.volume_shape[1]), self._pixel_size_um
        row = slice(slices.row, slices.row + 1)
        cylinder = (
            self._cylinder.attenuation(square.x, square.y, pixel_size_um, row)[0],
            self._cylinder.attenuation(square.x[0], square.y[slices.y], pixel_size_um),
            self._cylinder.attenuation(square.x[0, slices.x], square.y[:, 0], pixel_size_um),
        )
        xy, xz, yz = (
            replace(plane, values=plane.values + added)
            for plane, added in zip((slices.xy, slices.xz, slices.yz), cylinder, strict=True)
        )
        return replace(slices, xy=xy, xz=xz, yz=yz)

    def _move(self) -> None:
        assert self._preview is not None
        row, y, x = self._at
        self._preview.move(row=row, y=y, x=x)
