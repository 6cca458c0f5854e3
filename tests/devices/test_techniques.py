import pytest

from devices.instrument_limit import InstrumentLimit
from devices.techniques import (
    PARAMETERS,
    ConstantCurrent,
    ConstantCurrentWithLimit,
    ConstantVoltage,
    ConstantVoltageWithLimits,
    Loop,
    OpenCircuitVoltage,
    Technique,
    TechniqueError,
    current_range,
)

LIMIT = (InstrumentLimit.current(1e-4, at_least=True),)


@pytest.mark.parametrize(("current_a", "word"), [(1e-5, 5), (-1e-5, 1)])
def test_the_limit_compares_in_the_direction_the_current_goes(current_a: float, word: int) -> None:
    parameters = ConstantCurrentWithLimit(current_a, 1.7, 60.0).parameters()
    assert parameters["TEST1CONF"] == word
    assert parameters["TEST1VAL"] == 1.7
    assert parameters["EXITCOND"] == 1  # next technique


@pytest.mark.parametrize(
    ("current_a", "until_v", "present_v"),
    [(-1e-5, 2.0, 1.9), (1e-5, 1.0, 1.9), (-1e-5, 1.9, 1.9), (1e-5, 3.0, float("nan"))],
)
def test_a_limit_behind_the_present_voltage_is_refused(current_a: float, until_v: float, present_v: float) -> None:
    with pytest.raises(TechniqueError, match="lies behind"):
        ConstantCurrentWithLimit(current_a, until_v, 60.0).refuse_limit_behind(present_v)


def test_a_limit_ahead_is_accepted() -> None:
    ConstantCurrentWithLimit(-1e-5, 1.7, 60.0).refuse_limit_behind(2.3)
    ConstantCurrentWithLimit(1e-5, 2.5, 60.0).refuse_limit_behind(0.7)


@pytest.mark.parametrize(("current_a", "index"), [(1e-10, 0), (1e-5, 5), (-11.52e-6, 6), (1e-3, 7), (1.0, 10)])
def test_the_smallest_range_that_holds_the_current_is_chosen(current_a: float, index: int) -> None:
    assert current_range(current_a) == index


@pytest.mark.parametrize("current_a", [0.0, float("nan"), 2.0, float("inf")])
def test_a_current_without_a_range_is_refused(current_a: float) -> None:
    with pytest.raises(TechniqueError, match="has no range"):
        current_range(current_a)


def test_every_technique_says_its_duration_or_count() -> None:
    assert OpenCircuitVoltage(60.0).parameters()["RTT"] == 60.0
    assert ConstantCurrent(1e-5, 30.0).parameters()["DURSTEP"] == 30.0
    assert ConstantVoltage(1.7, 20.0, 1e-4).parameters()["VSTEP"] == 1.7
    assert Loop(3, 0).parameters() == {"NLOOP": 3, "PROT": 0}


@pytest.mark.parametrize(
    "technique",
    [
        OpenCircuitVoltage(60.0),
        ConstantCurrent(1e-5, 30.0),
        ConstantCurrentWithLimit(1e-5, 1.7, 60.0),
        ConstantVoltage(1.7, 20.0, 1e-4),
        ConstantVoltageWithLimits(1.7, 20.0, 1e-4, LIMIT),
        Loop(3, 0),
    ],
)
def test_a_technique_leaves_no_parameter_to_what_was_there_before(technique: Technique) -> None:
    assert set(technique.parameters()) == set(PARAMETERS[technique.name])


def test_one_step_is_step_number_zero_and_only_the_first_test_is_active() -> None:
    parameters = ConstantCurrentWithLimit(-1e-5, 1.7, 60.0).parameters()
    assert parameters["STEPN"] == 0
    assert [parameters[f"TEST{number}CONF"] for number in (1, 2, 3)] == [1, 0, 0]


def test_a_technique_without_a_bound_is_refused() -> None:
    with pytest.raises(TechniqueError, match="duration"):
        ConstantVoltage(1.7, float("inf"), 1e-4).parameters()


def test_further_limits_stand_in_the_tests_that_are_left() -> None:
    others = (InstrumentLimit.voltage(3.1, at_least=True), InstrumentLimit.auxiliary(2, 5.0, at_least=True))
    parameters = ConstantCurrentWithLimit(-1e-5, 1.7, 60.0, others=others).parameters()
    assert [parameters[f"TEST{number}CONF"] for number in (1, 2, 3)] == [1, 5, 69]
    assert [parameters[f"TEST{number}VAL"] for number in (1, 2, 3)] == [1.7, 3.1, 5.0]


def test_a_constant_voltage_stops_where_a_limit_is_met() -> None:
    limits = (InstrumentLimit.current(1e-4, at_least=True), InstrumentLimit.current(-1e-4, at_least=False))
    parameters = ConstantVoltageWithLimits(1.7, 20.0, 1e-4, limits).parameters()
    assert [parameters[f"TEST{number}CONF"] for number in (1, 2, 3)] == [101, 97, 0]
    assert parameters["EXITCOND"] == 2


@pytest.mark.parametrize("limits", [(InstrumentLimit.voltage(float("nan"), at_least=True),), LIMIT * 4])
def test_limits_that_the_instrument_cannot_compare_are_refused(limits: tuple[InstrumentLimit, ...]) -> None:
    with pytest.raises(TechniqueError, match="limit"):
        ConstantVoltageWithLimits(1.7, 20.0, 1e-4, limits).parameters()
