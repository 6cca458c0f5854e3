"""The four simulated cells of experiment A are, at their shipped parameters, the published ones: A-1 to A-17.

What the publication gives as a number is met within a tolerance whose reason stands beside it; what it gives as a
sign, an order or a ratio is met as such. A-12 to A-16 belong to the cells of the pressure rig.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulators.cell_parameters import load_cell
from simulators.cell_state import CellState
from simulators.cell_twin import CellTwin
from simulators.phantom import Phantom
from simulators.pristine_cell import ANALYSIS_REGION
from simulators.truth import CellTruth, curve_truth, truth

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
DAY_S = 86400.0
LONGEST_S = 30 * DAY_S  # of a half cycle
SEED = 1  # of the shipped experiments
NUM_CYCLES = 50
FAST_MA_PER_G = 50.0


@dataclass
class Cycled:
    """A cell that rested for a day and was cycled, its states at the set voltages and what each half cycle gave."""

    name: str
    first_ma_per_g: float
    num_cycles: int
    states: dict[str, CellState] = field(default_factory=dict)
    capacities: list[tuple[float, float]] = field(default_factory=list)
    truths: dict[str, dict[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.parameters = load_cell(EXPERIMENTS / f"{self.name}.cell.toml")
        self.twin = CellTwin(self.parameters, 0.0)
        self._now_s = DAY_S
        self.mass_g = self.parameters.particles.active_mass.value * 1e-3
        told = CellTruth(self.twin, 0.0, curve_truth(self.parameters)["pressure_slope_break"])
        self.truths["rest"] = told.at(DAY_S)
        self.states["OCV"] = self.twin.state(DAY_S)
        for cycle in range(1, self.num_cycles + 1):
            self._now_s += 60.0
            current_a = (self.first_ma_per_g if cycle == 1 else FAST_MA_PER_G) * self.mass_g * 1e-3
            taken = self._half_cycle(cycle, -current_a, (1.7, 1.2, 0.7))
            if cycle == 1:
                self.truths["discharge"] = told.at(self._now_s)
            given = self._half_cycle(cycle, current_a, (2.5, 3.0))
            if cycle == 1:
                self.truths["charge"] = told.at(self._now_s)
            self.capacities.append((taken, given))

    def _half_cycle(self, cycle: int, current_a: float, set_voltages_v: tuple[float, ...]) -> float:
        begin_s = self._now_s
        self.twin.constant_current(begin_s, current_a)
        rising = current_a > 0
        for voltage_v in set_voltages_v:
            reached_s = self.twin.next_crossing(voltage_v, rising=rising, before_s=begin_s + LONGEST_S)
            assert reached_s is not None, f"{self.name}, cycle {cycle}: the cell never comes to {voltage_v} V"
            self._now_s = reached_s
            self.states[f"{'C' if rising else 'D'}{voltage_v}V_{cycle}"] = self.twin.state(reached_s)
        return abs(current_a) * (self._now_s - begin_s) / 3.6 / self.mass_g


@lru_cache(maxsize=4)
def cycled(name: str) -> Cycled:
    rig = name.endswith("rig")
    return Cycled(name, FAST_MA_PER_G if rig else 10.0, 1 if rig else NUM_CYCLES)


@lru_cache(maxsize=2)
def phantom(name: str) -> Phantom:
    return Phantom(cycled(name).parameters, SEED)


@lru_cache(maxsize=20)
def truth_of(name: str, state: str) -> dict[str, Any]:
    return truth(phantom(name), cycled(name).states[state], ANALYSIS_REGION)


def test_a1_copper_grows_as_published() -> None:
    assert truth_of("cus_26mpa", "OCV")["high_attenuation_volume"] == 0
    for state, published_um3 in (("D1.7V_1", 2.56e4), ("D1.2V_1", 1.78e5), ("D0.7V_1", 3.7e5)):
        # 6 %: the published region is not stated; particles are cut by its faces or pass them while the cathode swells
        assert truth_of("cus_26mpa", state)["high_attenuation_volume"] == pytest.approx(published_um3, rel=0.06)


def test_a2_more_than_nine_tenths_of_the_segregated_copper_is_gone_at_three_volt() -> None:
    found = truth_of("cus_26mpa", "C3.0V_1")
    assert 0 < found["high_attenuation_volume"] <= 3.7e4
    assert found["dispersed_copper_volume"] > found["high_attenuation_volume"]  # what 32 % of efficiency leaves


def test_a3_a4_cracks_open_from_the_second_stage_on_and_half_close() -> None:
    for state in ("OCV", "D1.7V_1"):
        assert truth_of("cus_26mpa", state)["crack_volume"] == 0
    # 2 %: 8.40 um over 1080 x 1080 um2 are 9.80e6 um3, the published volumes have two digits
    for state, published_um3 in (("D1.2V_1", 7.6e6), ("D0.7V_1", 9.7e6), ("C3.0V_1", 4.9e6)):
        assert truth_of("cus_26mpa", state)["crack_volume"] == pytest.approx(published_um3, rel=0.02)


def test_a5_cracks_and_copper_lie_across_the_stack() -> None:
    found = truth_of("cus_26mpa", "D0.7V_1")
    assert found["crack_tilt"] == 0
    assert found["high_attenuation_tilt"] < 10  # deg: "normal along z" of lenses that grow in round particles


def test_a6_at_40_megapascal_hardly_a_crack_opens_and_the_copper_is_similar() -> None:
    opened_um3 = truth_of("cus_26mpa", "D0.7V_1")["crack_volume"]
    for cycle in (10, 50):
        found, other = (truth_of(name, f"D0.7V_{cycle}") for name in ("cus_40mpa", "cus_26mpa"))
        assert found["crack_volume"] <= 0.05 * opened_um3
        assert found["high_attenuation_volume"] == pytest.approx(
            other["high_attenuation_volume"], rel=0.05
        )  # "similar"


def test_a7_a8_the_cathode_rises_towards_the_lithium_and_comes_back_on_charge() -> None:
    discharged, charged = truth_of("cus_26mpa", "D0.7V_1"), truth_of("cus_26mpa", "C3.0V_1")
    at_um = {layer["height_um"]: layer["rise_um"] for layer in discharged["displacement"]}
    assert at_um[235.0] == pytest.approx(7.2, abs=0.1)  # um: the middle of the layer; published with two digits
    # um: the mean over the layer is larger than its middle, because the rise is steeper above
    assert discharged["displacement_separator_side"] == pytest.approx(7.2, abs=0.7)
    assert 0 < discharged["displacement_collector_side"] < 1
    assert discharged["displacement_in_plane"] == 0
    assert charged["displacement_separator_side"] < discharged["displacement_separator_side"] - 2
    assert discharged["interface_shift"] == pytest.approx(14.2, abs=0.1)  # um, published with three digits


def test_a9_charge_thins_the_lithium_by_18_um() -> None:
    assert truth_of("cus_26mpa", "D0.7V_1")["lithium_loss_um"] == pytest.approx(18, abs=0.5)  # um, two digits


@pytest.mark.parametrize(
    ("name", "first_mah_per_g", "efficiency"),
    [("cus_26mpa", 507, 0.32), ("cus_26mpa_rig", 571, 0.32), ("cus_40mpa", 507, 0.70), ("cus_40mpa_rig", 598, 0.70)],
)
def test_a10_a11_first_capacity_and_efficiency(name: str, first_mah_per_g: float, efficiency: float) -> None:
    taken, given = cycled(name).capacities[0]
    assert taken == pytest.approx(first_mah_per_g, abs=0.5)  # published without decimals
    assert given / taken == pytest.approx(efficiency, abs=0.005)


@pytest.mark.parametrize("name", ["cus_26mpa", "cus_40mpa"])
def test_a10_about_100_milliampere_hours_are_left_after_50_cycles(name: str) -> None:
    found = cycled(name)
    assert found.capacities[-1][0] == pytest.approx(100, abs=5)  # "about"
    taken = [capacity for capacity, _ in found.capacities]
    assert taken == sorted(taken, reverse=True)
    # Each cycle takes what the one before gave back: 10 % are the polarisation of five times the current.
    for (_, given), (taken_again, _) in zip(found.capacities, found.capacities[1:], strict=False):
        assert 0.9 * given < taken_again < 1.1 * given


def test_a12_pressure_relaxes_within_a_day_of_rest() -> None:
    for name, initial_mpa, fall_mpa in (("cus_26mpa_rig", 26.0, 4.0), ("cus_40mpa_rig", 40.0, 3.6)):
        found = cycled(name)
        assert found.twin.stack_pressure_mpa(0.0) == initial_mpa
        assert initial_mpa - found.truths["rest"]["stack_pressure_mpa"] == pytest.approx(fall_mpa, abs=0.01)


def test_a13_a14_pressure_falls_in_the_first_stage_and_in_the_second_only_at_40_megapascal() -> None:
    changes = {}
    for name in ("cus_26mpa_rig", "cus_40mpa_rig"):
        truths = cycled(name).truths
        at_break_mpa = truths["discharge"]["slope_break_stack_pressure_mpa"]
        changes[name] = (
            at_break_mpa - truths["rest"]["stack_pressure_mpa"],
            truths["discharge"]["stack_pressure_mpa"] - at_break_mpa,
        )
    assert all(first < -0.5 for first, _ in changes.values())
    assert 0 <= changes["cus_26mpa_rig"][1] < 0.5  # MPa: flat or slightly up, beside a fall of 2
    assert changes["cus_40mpa_rig"][1] < -0.5


def test_a15_the_pressure_bends_where_the_voltage_steps() -> None:
    for name in ("cus_26mpa_rig", "cus_40mpa_rig"):
        bends = curve_truth(cycled(name).parameters)
        assert (
            abs(bends["slope_break_offset"]) <= 0.01 * cycled(name).capacities[0][0]
        )  # 3 % are asked of a measurement


def test_a16_pressure_changes_by_up_to_6_megapascal_in_all() -> None:
    for name in ("cus_26mpa_rig", "cus_40mpa_rig"):
        found = cycled(name)
        lowest_mpa = min(entry["lowest_stack_pressure_mpa"] for entry in found.truths.values())
        assert 5 < found.twin.stack_pressure_mpa(0.0) - lowest_mpa <= 6


def test_a17_the_mode_of_the_particles_is_lower_after_charge_than_at_first() -> None:
    assert truth_of("cus_26mpa", "OCV")["particle_mode"] == pytest.approx(24.6, abs=0.1)  # 1/cm: table of materials
    charged = truth_of("cus_26mpa", "C3.0V_1")
    assert charged["particle_mode"] == pytest.approx(16, abs=0.5)  # 1/cm: derived, "about 16"
    assert charged["particle_mode_shift"] < -8


def test_nothing_expands_by_what_is_discharged_beyond_all_copper_sulfide() -> None:
    found = cycled("cus_40mpa_rig")
    state = found.states["D0.7V_1"]
    assert state.side_charge_mah_per_g == pytest.approx(598 - 560.7, abs=0.5)
    assert state.cu_fraction == pytest.approx(1, abs=1e-3)
    # 8.56 um of CuS that grow by 74.8 %; lithium is used by all of the charge: 13.00 cm3/mol over 6 mm
    assert state.expansion_um == pytest.approx(8.56 * 0.748, rel=0.01)
    assert state.lithium_loss_um == pytest.approx(
        598 * 1.152e-3 * 3.6 / 96485 * 13.0 / (np.pi / 4 * 0.6**2) * 1e4, rel=1e-3
    )
