"""What the camera sees and what stands in the beam: pixels, field of view, bore and wall of the cell."""

from dataclasses import dataclass

# Kept around the analysis region, so that what its faces cut is seen whole; the largest lenses are 60 um wide.
REGION_MARGIN_UM = 40.0


class GeometryError(ValueError):
    """Sizes that cannot hold together."""


@dataclass(frozen=True)
class ImagingGeometry:
    """Pixels of a projection as they lie in the sample, after magnification and binning.

    Arrays are ordered (row, column); row 0 is the top. A detector coordinate in micrometres across the beam is
    ``u_um = (column - axis_column) * pixel_size_um``; at rotation angle ``theta`` a sample point (x, y) is seen at
    ``u = x cos(theta) + y sin(theta)``.
    """

    num_columns: int
    num_rows: int
    pixel_size_um: float

    def __post_init__(self) -> None:
        """Refuse sizes that are not positive."""
        if self.num_columns < 1 or self.num_rows < 1 or not self.pixel_size_um > 0:
            raise GeometryError(
                f"{self.num_columns} columns x {self.num_rows} rows of {self.pixel_size_um} um is no image: "
                "all three must be positive."
            )

    @property
    def field_of_view_mm(self) -> tuple[float, float]:
        """Width and height of the view in the sample, in mm."""
        return self.num_columns * self.pixel_size_um / 1e3, self.num_rows * self.pixel_size_um / 1e3

    @property
    def frame_shape(self) -> tuple[int, int]:
        """Rows and columns of one frame."""
        return self.num_rows, self.num_columns


@dataclass(frozen=True)
class CellGeometry:
    """What is known of the cell before the beam sees it: the bore that the view truncates, and its wall."""

    bore_diameter_mm: float
    wall_outer_diameter_mm: float
    wall_material: str

    def __post_init__(self) -> None:
        """Refuse a wall inside its bore."""
        if not 0 < self.bore_diameter_mm < self.wall_outer_diameter_mm:
            raise GeometryError(
                f"wall outer diameter {self.wall_outer_diameter_mm} mm must be larger than the bore, "
                f"{self.bore_diameter_mm} mm, and both positive."
            )

    @property
    def bore_area_mm2(self) -> float:
        """Cross-section of the bore, the area that turns force into stack pressure."""
        return 3.141592653589793 * self.bore_diameter_mm**2 / 4


@dataclass(frozen=True)
class Region:
    """A box in the sample, in um: centred on the rotation axis in x and y, heights above the bottom of the view."""

    width_x_um: float
    width_y_um: float
    bottom_um: float
    top_um: float

    def __post_init__(self) -> None:
        """Refuse an empty box."""
        if self.width_x_um <= 0 or self.width_y_um <= 0 or self.top_um <= self.bottom_um or self.bottom_um < 0:
            raise GeometryError(
                f"a region of {self.width_x_um} x {self.width_y_um} um from {self.bottom_um} to {self.top_um} um "
                "above the bottom of the view is empty or below the view."
            )
