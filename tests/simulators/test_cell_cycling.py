"""Whatever cell is cycled however: atoms, charge and volume are conserved, and nothing jumps at a command."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operando.model.materials import FARADAY_C_PER_MOL, attenuation_per_cm, material
from simulators.cell_mechanics import CellMechanics
from simulators.cell_parameters import CellParameters, load_cell
from simulators.cell_state import CellState
from simulators.cell_twin import CellTwin
from simulators.particle_mixture import particle_mixture
from tests.support.offline_run import edited

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
SHIPPED = load_cell(EXPERIMENTS / "cus_26mpa.cell.toml")
MAX_CURRENT_A = 1e-4
ENERGY_KEV = 35.0

cells = st.fixed_dictionaries(
    {
        "particles.active_mass": st.floats(0.1, 3.0),
        "layers.bore_diameter": st.floats(6.0, 12.0),
        "layers.lithium_diameter": st.floats(2.0, 6.0),
        "cracks.closing_ratio": st.floats(0.0, 1.0),
        "cracks.opening.opening": st.tuples(*[st.floats(0.0, 20.0)] * 4).map(sorted),
        "electrochemistry.series_resistance": st.floats(10.0, 1e4),
        "electrochemistry.relaxation_resistance": st.floats(0.0, 1e4),
        "electrochemistry.side_reaction_share": st.floats(0.0, 1.0),
        "copper.residual_segregated_volume": st.floats(0.0, 5e5),
        "copper.segregated_fraction": st.tuples(*[st.floats(0.0, 1.0)] * 5).map(sorted),
        "cycling.capacity_kept": st.tuples(st.just(1.0), st.floats(0.5, 1.0), st.floats(0.01, 0.5)),
        "cycling.crack_opening": st.tuples(st.just(1.0), st.floats(0.0, 2.0), st.floats(0.0, 2.0)),
    }
).map(lambda values: edited(SHIPPED, _lists(values)))
commands = st.lists(
    st.tuples(
        st.sampled_from(["current", "voltage", "open_circuit"]),
        st.floats(-1.0, 1.0),
        st.floats(1.0, 1.5e5) | st.floats(1.0, 100.0),
    ),
    min_size=1,
    max_size=8,
)


def _lists(values: Mapping[str, object]) -> dict[str, float | list[float] | str]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}  # type: ignore[misc]


def _commanded(parameters: CellParameters, told: list[tuple[str, float, float]]) -> list[tuple[CellState, CellState]]:
    """Give the cell its commands; return its state before and after each, and at the end twice."""
    twin, now_s, states = CellTwin(parameters, 0.0), 0.0, []
    scale_a = min(MAX_CURRENT_A, 0.1 * parameters.particles.active_mass.value * 1e-3)
    for kind, value, duration_s in told:
        before = twin.state(now_s)
        if kind == "current":
            twin.constant_current(now_s, value * scale_a)
        elif kind == "voltage":
            twin.constant_voltage(now_s, 1.85 + 1.15 * value)
            duration_s = min(duration_s, 60.0)  # a hold is integrated second by second
        else:
            twin.open_circuit(now_s)
        states.append((before, twin.state(now_s)))
        now_s += duration_s
    return [*states, (twin.state(now_s), twin.state(now_s))]


@given(cells, commands)
@settings(max_examples=30, deadline=None)
def test_atoms_charge_and_volume_are_conserved_and_nothing_jumps(
    parameters: CellParameters, told: list[tuple[str, float, float]]
) -> None:
    mass_g = parameters.particles.active_mass.value * 1e-3
    theoretical = parameters.electrochemistry.theoretical_capacity.value
    cus_um = mass_g / material("CuS").density_g_per_cm3 / CellMechanics(parameters).bore_area_mm2 * 1e6
    lithium_area_cm2 = np.pi / 4 * (parameters.layers.lithium_diameter.value / 10) ** 2
    for before, after in _commanded(parameters, told):
        for key, value in vars(before).items():
            assert getattr(after, key) == pytest.approx(value, rel=1e-9, abs=1e-9), key
        cus = 1 - after.cu2s_fraction - after.cu_fraction
        assert min(cus, after.cu2s_fraction, after.cu_fraction, after.segregated_fraction) >= -1e-12
        assert after.segregated_fraction <= after.cu_fraction + 1e-12
        # Each copper atom in Cu2S took up one electron of two, each metallic one both; the rest is side reaction.
        electrons = after.cu2s_fraction / 2 + after.cu_fraction
        charge = electrons * theoretical + after.side_charge_mah_per_g
        assert charge == pytest.approx(after.specific_charge_mah_per_g, abs=1e-9 * theoretical)
        assert charge * mass_g == pytest.approx(-after.charge_mah, abs=1e-9 * theoretical * mass_g)
        lithium_mol = -after.charge_mah * 3.6 / FARADAY_C_PER_MOL
        assert after.lithium_loss_um == pytest.approx(lithium_mol * 13.0 / lithium_area_cm2 * 1e4, rel=1e-6, abs=1e-9)
        assert after.crack_opening_um >= 0
        assert after.interface_um == pytest.approx(after.expansion_um + after.crack_opening_um)
        mixture = particle_mixture(after, ENERGY_KEV)
        # The cathode grows by what its particles grow, all of it along the stack.
        assert after.expansion_um == pytest.approx(cus_um * (mixture.particle_growth - 1), rel=1e-3, abs=1e-9)
        _atoms_are_conserved(after)


def _atoms_are_conserved(state: CellState) -> None:
    """From the volumes that the mixture says, back to atoms of copper and sulfur; its attenuation must be theirs."""
    mixture = particle_mixture(state, ENERGY_KEV)
    pristine_cm3 = material("CuS").molar_volume_cm3
    mol_cu2s = mixture.cu2s_share * pristine_cm3 / material("Cu2S").molar_volume_cm3
    metal_share = mixture.inclusion_share + mixture.dispersed_copper_share
    mol_cu = metal_share * pristine_cm3 / material("Cu").molar_volume_cm3
    mol_cus = 1 - 2 * mol_cu2s - mol_cu
    mol_li2s = 1 - mol_cus - mol_cu2s
    assert mol_cu == pytest.approx(state.cu_fraction, abs=1e-9)
    rest_cm3 = mol_cus * pristine_cm3 + mol_li2s * material("Li2S").molar_volume_cm3
    grown_cm3 = rest_cm3 + (mixture.cu2s_share + metal_share) * pristine_cm3
    assert grown_cm3 == pytest.approx(mixture.particle_growth * pristine_cm3, rel=1e-9)
    seen = (mixture.particle_growth - mixture.inclusion_share) * mixture.residue_per_cm
    seen += mixture.inclusion_share * attenuation_per_cm("Cu", ENERGY_KEV)
    # Atoms absorb, whatever they are bound to: the integral over a particle stays; the table rounds to 0.3 %, and
    # lithium, at most 3 %, comes in addition.
    assert seen == pytest.approx(attenuation_per_cm("CuS", ENERGY_KEV), rel=0.01)


@pytest.mark.parametrize("name", ["cus_26mpa", "cus_40mpa", "cus_26mpa_rig", "cus_40mpa_rig"])
def test_in_every_cycle_voltage_falls_and_rises_without_a_turn_and_meets_its_cut_offs(name: str) -> None:
    parameters = load_cell(EXPERIMENTS / f"{name}.cell.toml")
    twin, now_s, passed_mah = CellTwin(parameters, 0.0), 0.0, 0.0
    mass_g = parameters.particles.active_mass.value * 1e-3
    current_a = 50e-3 * mass_g
    for _ in range(12):
        for sign, cut_off_v in ((-1, 0.7), (1, 3.0)):
            twin.constant_current(now_s, sign * current_a)
            reached_s = twin.next_crossing(cut_off_v, rising=sign > 0, before_s=now_s + 1e5)
            assert reached_s is not None
            times_s = np.linspace(now_s, reached_s, 40)
            volts = np.array([twin.reading(time_s).voltage_v for time_s in times_s.tolist()])
            assert (np.diff(volts) * sign > 0).all()
            assert twin.capacity_mah_per_g(reached_s) == pytest.approx(current_a * (reached_s - now_s) / 3.6 / mass_g)
            passed_mah += sign * current_a * (reached_s - now_s) / 3.6
            now_s = reached_s
            assert twin.reading(now_s).charge_mah == pytest.approx(passed_mah, rel=1e-9)


def test_a_short_turn_of_the_current_costs_no_capacity_and_hardly_any_voltage() -> None:
    straight, interrupted = CellTwin(SHIPPED, 0.0), CellTwin(SHIPPED, 0.0)
    current_a, turn_s, back_s = 11.52e-6, 60_000.0, 30.0
    for twin in (straight, interrupted):
        twin.constant_current(0.0, -current_a)
    before_v = interrupted.reading(turn_s).voltage_v
    interrupted.constant_current(turn_s, current_a)
    # V: what the two resistances drop when the current turns, at most; the branch itself does not jump
    assert before_v < interrupted.reading(turn_s + back_s).voltage_v < before_v + 2 * current_a * 2400 + 0.01
    interrupted.constant_current(turn_s + back_s, -current_a)
    ends_s = [twin.next_crossing(0.7, rising=False, before_s=1e6) for twin in (straight, interrupted)]
    assert ends_s[0] is not None
    assert ends_s[1] == pytest.approx(ends_s[0] + 2 * back_s, abs=5.0)  # s, of 51 h
