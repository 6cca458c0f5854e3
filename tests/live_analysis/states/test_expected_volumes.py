"""What charge asks for, with numbers that can be checked by hand from the molar volumes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_analysis.states.expected_volumes import (
    BEYOND_THEORY,
    WAY_BACK_ASSUMED,
    PassedCharge,
    expected_quantities,
    metallic_share,
    solid_cm3_per_copper,
)
from operando.model.materials import COULOMB_PER_MAH, FARADAY_C_PER_MOL


def charge(electrons: float, *, charging: bool = False) -> PassedCharge:
    """1.152 mg of CuS that took up so many electrons each."""
    mol = 1.152e-3 / 95.61
    return PassedCharge(-electrons * mol * FARADAY_C_PER_MOL / COULOMB_PER_MAH, 1e-4, 1.152, 6.0, 4.5, charging)


def test_half_way_all_is_cu2s_and_at_the_end_all_is_copper() -> None:
    assert solid_cm3_per_copper(0) == pytest.approx(20.09)
    assert solid_cm3_per_copper(1) == pytest.approx((28.42 + 28.02) / 2)
    assert solid_cm3_per_copper(2) == pytest.approx(7.09 + 28.02)
    assert (metallic_share(0.9), metallic_share(1.5), metallic_share(2.2)) == (0.0, 0.5, 1.0)


def test_lithium_loses_what_the_published_cell_lost() -> None:
    found = {entry.name: entry for entry in expected_quantities(charge(507 / 560.65 * 2), None)}
    assert "expected_copper_volume" not in found  # without an image of the pristine particles
    stack = found["expected_stack_change"]
    assert stack.details["lithium_loss_um"] == pytest.approx(17.8, abs=0.1)
    assert found["expected_cathode_expansion"].value == pytest.approx(5.8, abs=0.1)
    assert stack.value == pytest.approx(5.8 - 17.8, abs=0.2)


def test_what_cannot_be_known_is_flagged() -> None:
    assert all(BEYOND_THEORY in entry.flags for entry in expected_quantities(charge(2.1), None))
    assert all(WAY_BACK_ASSUMED in entry.flags for entry in expected_quantities(charge(1.4, charging=True), None))


@given(st.floats(0, 2.5), st.floats(0, 2.5))
def test_more_charge_never_makes_less_solid(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert solid_cm3_per_copper(low) <= solid_cm3_per_copper(high) + 1e-9
