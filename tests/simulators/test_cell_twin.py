"""The twin passes through the published states and conserves charge, copper and volume."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operando.model.materials import FARADAY_C_PER_MOL
from simulators.cell_parameters import CellParameters, load_cell
from simulators.cell_twin import CellTwin, CellTwinError

CELL = Path(__file__).parents[2] / "experiments" / "cus_26mpa.cell.toml"
START_S = 1.0e9
DAY_S = 86400.0
CURRENT_A = 11.52e-6  # 10 mA/g of 1.152 mg
MASS_G = 1.152e-3


@pytest.fixture(scope="module")
def parameters() -> CellParameters:
    return load_cell(CELL)


def discharged(parameters: CellParameters) -> CellTwin:
    twin = CellTwin(parameters, START_S)
    twin.constant_current(START_S + DAY_S, -CURRENT_A)
    return twin


@pytest.mark.parametrize(("voltage_v", "capacity_mah_per_g"), [(1.7, 296.0), (1.2, 388.0), (0.7, 507.0)])
def test_set_voltages_are_passed_at_the_published_capacities(
    parameters: CellParameters, voltage_v: float, capacity_mah_per_g: float
) -> None:
    twin = discharged(parameters)
    crossing_s = twin.next_crossing(voltage_v, rising=False, before_s=START_S + 10 * DAY_S)
    assert crossing_s is not None
    # 0.2 mAh/g: the relaxing voltage is not quite at its end value, nothing else may differ
    assert twin.state(crossing_s).specific_charge_mah_per_g == pytest.approx(capacity_mah_per_g, abs=0.2)
    assert twin.reading(crossing_s).voltage_v == pytest.approx(voltage_v, abs=1e-6)  # 1 ms at 10 mV an hour


def test_first_charge_gives_back_32_percent(parameters: CellParameters) -> None:
    twin = discharged(parameters)
    full_s = twin.next_crossing(0.7, rising=False, before_s=START_S + 10 * DAY_S)
    assert full_s is not None
    twin.constant_current(full_s, CURRENT_A)
    end_s = twin.next_crossing(3.0, rising=True, before_s=full_s + 10 * DAY_S)
    assert end_s is not None
    returned = (twin.reading(end_s).charge_mah - twin.reading(full_s).charge_mah) / -twin.reading(full_s).charge_mah
    assert returned == pytest.approx(0.32, abs=0.005)


def test_a_day_of_rest_costs_four_megapascal(parameters: CellParameters) -> None:
    twin = CellTwin(parameters, START_S)
    fall_mpa = twin.stack_pressure_mpa(START_S) - twin.stack_pressure_mpa(START_S + DAY_S)
    assert fall_mpa == pytest.approx(4.0, abs=1e-9)  # A-12 is an input of the cell file


def test_force_of_26_megapascal_is_735_newton(parameters: CellParameters) -> None:
    assert CellTwin(parameters, START_S).force_n(START_S) == pytest.approx(735.1, abs=0.1)


@given(st.floats(0.0, 5.0e5), st.floats(1.0e-6, 6.0e-5))
@settings(max_examples=30, deadline=None)
def test_charge_is_the_integral_of_current(elapsed_s: float, current_a: float) -> None:
    twin = CellTwin(load_cell(CELL), START_S)
    twin.constant_current(START_S, -current_a)
    assert twin.reading(START_S + elapsed_s).charge_mah == pytest.approx(
        -current_a * elapsed_s / 3.6, rel=1e-9, abs=1e-12
    )


@given(st.floats(0.0, 560.0))
@settings(max_examples=50, deadline=None)
def test_copper_and_lithium_are_conserved(depth_mah_per_g: float) -> None:
    twin = CellTwin(load_cell(CELL), START_S)
    twin.constant_current(START_S, -CURRENT_A)
    state = twin.state(START_S + depth_mah_per_g * MASS_G * 3600 / (CURRENT_A * 1e3))
    assert 0 <= state.cu2s_fraction <= 1
    assert state.cu2s_fraction + state.cu_fraction <= 1 + 1e-12
    assert state.segregated_fraction <= state.cu_fraction + 1e-12
    # each Cu in Cu2S took up one electron, each metallic Cu two: the sum is the charge that flowed
    electrons = (state.cu2s_fraction + 2 * state.cu_fraction) / 2
    assert electrons * 560.7 == pytest.approx(depth_mah_per_g, abs=1e-6)
    lithium_um = depth_mah_per_g * MASS_G * 3.6 / FARADAY_C_PER_MOL * 13.0 / (3.14159265 / 4 * 0.45**2) * 1e4
    assert state.lithium_loss_um == pytest.approx(lithium_um, rel=1e-6, abs=1e-9)


def test_how_often_one_looks_does_not_matter(parameters: CellParameters) -> None:
    looked_at, left_alone = discharged(parameters), discharged(parameters)
    for twin, every_s in ((looked_at, 37.0), (left_alone, 3600.0)):
        crossing_s = twin.next_crossing(1.7, rising=False, before_s=START_S + 5 * DAY_S)
        assert crossing_s is not None
        twin.constant_voltage(crossing_s, 1.7)
        for step in range(int(3600 / every_s)):
            twin.reading(crossing_s + step * every_s)
    assert crossing_s is not None
    assert looked_at.reading(crossing_s + 3600) == left_alone.reading(crossing_s + 3600)


def test_a_hold_begins_at_the_current_that_flowed_and_decays(parameters: CellParameters) -> None:
    twin = discharged(parameters)
    crossing_s = twin.next_crossing(1.7, rising=False, before_s=START_S + 5 * DAY_S)
    assert crossing_s is not None
    twin.constant_voltage(crossing_s, 1.7)
    currents = [twin.reading(crossing_s + elapsed_s).current_a for elapsed_s in (0.0, 60.0, 600.0, 3600.0)]
    assert currents[0] == pytest.approx(-CURRENT_A, rel=1e-4)
    assert currents == sorted(currents)
    assert twin.reading(crossing_s + 3600).voltage_v == 1.7


def test_half_the_mass_reaches_the_voltage_in_half_the_time(parameters: CellParameters, tmp_path: Path) -> None:
    edited = tmp_path / "half.cell.toml"
    edited.write_text(CELL.read_text().replace("value = 1.152", "value = 0.576"))
    half = CellTwin(load_cell(edited), START_S)
    half.constant_current(START_S, -CURRENT_A / 2)
    crossing_s = half.next_crossing(1.2, rising=False, before_s=START_S + 10 * DAY_S)
    assert crossing_s is not None
    assert half.reading(crossing_s).charge_mah == pytest.approx(-388.0 * MASS_G / 2, rel=1e-3)


def test_a_command_in_the_past_is_refused(parameters: CellParameters) -> None:
    twin = discharged(parameters)
    with pytest.raises(CellTwinError, match="before the last one"):
        twin.open_circuit(START_S)
