import numpy as np
import pytest

from operando.monitor.history.differential_capacity import BIN_V, Values, differential_capacity

STEPS = ((0.3, 1.7, 0.02), (0.2, 2.1, 0.03))  # mAh, V, V
SLOPE_MAH_V = 0.02
LOWEST_V, HIGHEST_V = 1.3, 2.5
PEAK_MAH_V = 0.3 / (4 * 0.02) + SLOPE_MAH_V


def charge_at(voltage_v: Values) -> Values:
    steps = [height / (1 + np.exp(-(voltage_v - middle) / width)) for height, middle, width in STEPS]
    return np.asarray(sum(steps) + SLOPE_MAH_V * (voltage_v - LOWEST_V))


def slope_at(voltage_v: Values) -> Values:
    shares = [1 / (1 + np.exp(-(voltage_v - middle) / width)) for _, middle, width in STEPS]
    steps = [height / width * share * (1 - share) for (height, _, width), share in zip(STEPS, shares, strict=True)]
    return np.asarray(sum(steps) + SLOPE_MAH_V)


def half_cycle(num: int, noise_v: float) -> tuple[Values, Values]:
    """Return voltage and charge at constant current, with noise."""
    fine_v = np.linspace(LOWEST_V, HIGHEST_V, 200_001)
    charge = np.linspace(charge_at(fine_v)[0], charge_at(fine_v)[-1], num)
    voltage = np.interp(charge, charge_at(fine_v), fine_v)
    return voltage + np.random.default_rng(1).normal(0.0, noise_v, num), charge


# A bin of 5 mV is a quarter of the narrower step's width, which takes 0.2 % off its peak; 0.1 mV of noise moves the
# charge at each of a bin's ends by 2 % of what is between them at most, less where there are more samples to a bin.
@pytest.mark.parametrize(
    ("num", "noise_v", "tolerance"),
    [(3000, 0.0, 0.003), (3000, 1e-4, 0.04), (20_000, 1e-4, 0.02), (200_000, 1e-4, 0.01)],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_two_steps_of_known_shape_come_out(num: int, noise_v: float, tolerance: float, sign: int) -> None:
    voltage, charge = half_cycle(num, noise_v)
    voltages_v, slopes = differential_capacity(voltage[::sign], charge[::sign], np.full(num, sign * 1e-5))
    assert len(voltages_v) >= 238
    assert sign * slopes == pytest.approx(slope_at(voltages_v), abs=tolerance * PEAK_MAH_V)
    assert sign * slopes.sum() * BIN_V == pytest.approx(charge[-1] - charge[0], rel=0.001)  # no charge is lost


def test_charge_at_a_held_voltage_is_left_out() -> None:
    voltage, charge = half_cycle(5000, 0.0)
    before, held = voltage < 1.7, 0.15 * (1 - np.exp(-np.arange(500.0) / 100))
    at_hold = charge[before][-1]
    voltage = np.concatenate([voltage[before], np.full(500, 1.7), voltage[~before]])
    charge = np.concatenate([charge[before], at_hold + held, charge[~before] + held[-1]])
    current = np.concatenate(
        [np.full(before.sum(), 1e-5), 0.4e-5 * np.exp(-np.arange(500.0) / 100), np.full((~before).sum(), 1e-5)]
    )
    voltages_v, slopes = differential_capacity(voltage, charge, current)
    assert slopes == pytest.approx(slope_at(voltages_v), abs=0.01 * PEAK_MAH_V)


def test_missing_values_are_passed_over() -> None:
    voltage, charge = half_cycle(20_000, 0.0)
    voltage[5000:5010], charge[7000] = np.nan, np.nan
    voltages_v, slopes = differential_capacity(voltage, charge, np.full(20_000, 1e-5))
    assert slopes == pytest.approx(slope_at(voltages_v), abs=0.01 * PEAK_MAH_V)


@pytest.mark.parametrize("num", [0, 1, 2])
def test_what_passes_no_two_levels_has_none(num: int) -> None:
    flat = np.full(num, 1.7123)
    assert [len(part) for part in differential_capacity(flat, np.linspace(0.0, 1.0, num), np.ones(num))] == [0, 0]
    missing = np.full(num, np.nan)
    assert [len(part) for part in differential_capacity(missing, missing, missing)] == [0, 0]
