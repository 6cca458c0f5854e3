"""A known material that comes out wrong says that the declared cell is another one."""

import numpy as np
import pytest

from live_analysis.live.known_slab import contradicts
from operando.model.experiment import GreyReference

KNOWN = GreyReference.model_validate(
    {"name": "separator", "attenuation": "2.0 1/cm", "bottom": "60 um", "top": "80 um", "radius": "50 um"}
)
VOXEL_UM, NUM_ROWS = 10.0, 12


@pytest.mark.parametrize(("found_per_cm", "wrong"), [(2.0, False), (2.05, False), (1.9, True), (2.2, True)])
@pytest.mark.parametrize("first_row", [0, 2])
def test_only_its_own_rows_and_radius_count(found_per_cm: float, wrong: bool, first_row: int) -> None:
    values = np.full((NUM_ROWS - first_row, 20, 20), 9.0, np.float32)
    # 60 to 80 um above the bottom of a view of 120 um: the rows 4 and 5, counted from its top.
    values[4 - first_row : 6 - first_row, 4:16, 4:16] = found_per_cm
    values[4 - first_row, 10, 10] = 30.0  # a particle
    values[5 - first_row, 9, 9] = np.nan
    assert contradicts(KNOWN, values, first_row, NUM_ROWS, VOXEL_UM) is wrong


def test_a_slab_outside_the_volume_contradicts_nothing() -> None:
    values = np.full((3, 20, 20), 9.0, np.float32)
    assert not contradicts(KNOWN, values, 9, NUM_ROWS, VOXEL_UM)
