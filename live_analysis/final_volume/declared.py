"""What an experiment file declares about a scan, as far as a volume needs it."""

from dataclasses import dataclass

from operando.model.geometry import CellGeometry

UM_PER_MM = 1e3


@dataclass(frozen=True)
class Declared:
    """Bore and wall of the cell, and more; everything may be unknown.

    Attributes
    ----------
    cell, wall_per_cm
        By which truncated views keep their grey values.
    plain_rows
        Rows that show content without particles, where the bore's centre is fitted; None for the middle.
    phase_length_um
        Of the filter that retrieves phase (`phase.filter_length_um`); None: it is not retrieved.
    """

    cell: CellGeometry | None = None
    wall_per_cm: float | None = None
    plain_rows: slice | None = None
    phase_length_um: float | None = None

    def object_of_view(self, num_columns: int, pixel_size_um: float | None) -> float | None:
        """Return the cell's outer diameter over the width of the view; None where it is unknown."""
        if self.cell is None or pixel_size_um is None:
            return None
        return self.cell.wall_outer_diameter_mm * UM_PER_MM / (num_columns * pixel_size_um)
