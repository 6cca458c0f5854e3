"""What an experiment file declares about a scan, as far as a volume needs it."""

from dataclasses import dataclass

from live_analysis.grey_scale import LARGEST_REFERENCE_ERROR
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
    plain_per_cm
        Attenuation of that content, if it is known.
    phase_length_um
        Of the filter that retrieves phase (`phase.filter_length_um`); None: it is not retrieved.
    """

    cell: CellGeometry | None = None
    wall_per_cm: float | None = None
    plain_rows: slice | None = None
    plain_per_cm: float | None = None
    phase_length_um: float | None = None

    def contradicted_by(self, content_per_cm: float) -> bool:
        """Whether content that was fitted to the plain rows shows that bore, wall, energy or pixel size are others."""
        known = self.plain_per_cm
        return known is not None and abs(content_per_cm - known) > LARGEST_REFERENCE_ERROR * known

    def object_of_view(self, num_columns: int, pixel_size_um: float | None) -> float | None:
        """Return the cell's outer diameter over the width of the view; None where it is unknown."""
        if self.cell is None or pixel_size_um is None:
            return None
        return self.cell.wall_outer_diameter_mm * UM_PER_MM / (num_columns * pixel_size_um)
