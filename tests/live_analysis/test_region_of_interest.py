import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from live_analysis.region_of_interest import MARGIN_OF_BORE, RegionOfInterestError, region_of_interest

ROWS, COLUMNS, PIXEL_UM = 40, 200, 10.0
MIDDLE = (COLUMNS - 1) / 2


def view(lit_rows: slice = slice(None), lit_columns: slice = slice(None)) -> NDArray[np.float32]:
    """Flat less dark with beam in these rows and columns only."""
    beam = np.full((ROWS, COLUMNS), 100.0, np.float32)
    beam[lit_rows, lit_columns] = 20_000.0
    return beam


def through(rows: slice = slice(None)) -> NDArray[np.float32]:
    """Transmission of 20 % in these rows and of a piston elsewhere."""
    transmission = np.full((ROWS, COLUMNS), 0.001, np.float32)
    transmission[rows] = 0.2
    return transmission


def test_rows_behind_a_piston_or_without_beam_are_left_out() -> None:
    found = region_of_interest(
        through(slice(8, 40)), view(slice(0, 30)), axis_column=MIDDLE, pixel_size_um=PIXEL_UM, bore_diameter_mm=6.0
    )
    assert (found.first_row, found.num_rows) == (8, 22)
    assert (found.first_column, found.num_columns) == (0, COLUMNS)
    assert not found.holds_bore


def test_columns_lie_evenly_about_the_axis_and_hold_the_bore_with_a_margin_where_it_fits() -> None:
    found = region_of_interest(through(), view(), axis_column=80.0, pixel_size_um=PIXEL_UM, bore_diameter_mm=1.0)
    assert found.holds_bore
    assert (found.first_column, found.num_columns) == (25, 111)  # 80 - 55 to 80 + 55: the radius of 50 and 5 % of 100
    assert MARGIN_OF_BORE == 0.05


@given(
    axis=st.floats(21, 148), first=st.integers(0, 20), end=st.integers(150, COLUMNS), bore_mm=st.floats(0.3, 6.0),
)  # fmt: skip
def test_a_region_is_lit_and_even_about_the_axis_wherever_that_lies(
    axis: float, first: int, end: int, bore_mm: float
) -> None:
    beam = view(lit_columns=slice(first, end))
    found = region_of_interest(through(), beam, axis_column=axis, pixel_size_um=PIXEL_UM, bore_diameter_mm=bore_mm)
    last = found.first_column + found.num_columns - 1
    assert first <= found.first_column <= last < end
    assert abs((axis - found.first_column) - (last - axis)) <= 1
    assert found.num_columns * PIXEL_UM / 1e3 >= bore_mm or not found.holds_bore


def test_an_axis_beside_the_beam_is_refused() -> None:
    beam = view(lit_columns=slice(100, 200))
    with pytest.raises(RegionOfInterestError, match="outside the lit columns or at their edge, 100 to 199"):
        region_of_interest(through(), beam, axis_column=60.0, pixel_size_um=PIXEL_UM, bore_diameter_mm=6.0)


def test_a_piston_in_the_whole_view_is_refused() -> None:
    with pytest.raises(RegionOfInterestError, match=r"at most 0\.10% in a row.*piston"):
        region_of_interest(through(slice(0)), view(), axis_column=MIDDLE, pixel_size_um=PIXEL_UM, bore_diameter_mm=6.0)


def test_a_beam_that_is_off_is_refused() -> None:
    dark = np.zeros((ROWS, COLUMNS), np.float32)
    nothing = np.full((ROWS, COLUMNS), np.nan, np.float32)  # transmission is not known without a flat
    with pytest.raises(RegionOfInterestError, match="nowhere brighter than the dark"):
        region_of_interest(nothing, dark, axis_column=MIDDLE, pixel_size_um=PIXEL_UM, bore_diameter_mm=6.0)
