from pathlib import Path

import pytest

from simulators.cell_parameters import load_cell
from simulators.cell_twin import CellTwin
from simulators.dummy_cell import DummyCell
from simulators.potentiostat_channel import AUXILIARY_LIMIT_STEP_S, Channel
from simulators.potentiostat_technique import ChannelError, Code, Technique

CELL_FILE = Path(__file__).parents[2] / "experiments" / "cus_26mpa.cell.toml"
START_S = 1_700_000_000.0
STEP = {"DURSTEP": 100.0, "VSINIT": 0.0, "STEPN": 0.0, "NCYCLES": 0.0, "IRANGE": 5.0, "TB": 25e-6}
NO_TESTS = {f"TEST{number}{what}": 0.0 for number in (1, 2, 3) for what in ("CONF", "VAL")}
E_AT_MOST, E_AT_LEAST, AUX1_AT_LEAST = 1.0, 5.0, 37.0


def ocv(duration_s: float) -> Technique:
    return Technique("OCV", {"RTT": duration_s, "TB": 20e-6})


def cplimit(current_a: float, limit_v: float, *, exit_condition: float = 1.0, duration_s: float = 2e5) -> Technique:
    config = E_AT_LEAST if current_a > 0 else E_AT_MOST
    limit = NO_TESTS | {"TEST1CONF": config, "TEST1VAL": limit_v, "EXITCOND": exit_condition}
    return Technique("CPLIMIT", STEP | {"ISTEP": current_a, "DURSTEP": duration_s} | limit)


def ca(voltage_v: float, duration_s: float = 100.0) -> Technique:
    return Technique("CA", STEP | {"VSTEP": voltage_v, "DURSTEP": duration_s})


@pytest.fixture
def channel() -> Channel:
    return Channel(CellTwin(load_cell(CELL_FILE), START_S), START_S, 1e-3)


def test_a_discharge_ends_inside_the_instrument_at_its_limit_and_the_voltage_is_held(channel: Channel) -> None:
    channel.load([cplimit(-11.52e-6, 1.7), ca(1.7, 600.0)])
    channel.start(START_S + 10)
    crossing_s = channel.transition_s
    assert channel.cell.reading(crossing_s).voltage_v == pytest.approx(1.7, abs=1e-5)
    assert channel.cell.reading(crossing_s - 60).voltage_v > 1.7
    channel.advance(crossing_s)
    assert (channel.running, channel.index, channel.technique_id) == (True, 1, 101)
    assert channel.cell.reading(crossing_s + 300).voltage_v == pytest.approx(1.7)
    channel.advance(crossing_s + 1000)
    assert not channel.running
    assert channel.cell.reading(crossing_s + 700).current_a == 0, "open circuit after the last technique"


def test_late_attention_changes_nothing_of_what_happened_when(channel: Channel) -> None:
    channel.load([ocv(5.0), cplimit(-11.52e-6, 1.0, duration_s=20.0), ca(2.0, 30.0)])
    channel.start(START_S)
    channel.advance(START_S + 1000)  # nobody looked for 1000 s
    currents = [channel.cell.reading(START_S + second).current_a for second in (4.9, 5.1, 24.9, 55.1)]
    assert currents == [0.0, -11.52e-6, -11.52e-6, 0.0]


@pytest.mark.parametrize("exit_condition", [1.0, 2.0])
def test_a_limit_at_the_auxiliary_input_ends_a_technique_when_what_is_wired_there_reaches_it(
    exit_condition: float,
) -> None:
    def ramp_v(time_s: float) -> float:
        return 3.0 + (time_s - START_S) / 10_000.0

    channel = Channel(CellTwin(load_cell(CELL_FILE), START_S), START_S, 1e-3, auxiliary_v=ramp_v)
    discharge = cplimit(-11.52e-6, 0.7, exit_condition=exit_condition)
    limits = {"TEST3CONF": AUX1_AT_LEAST, "TEST3VAL": 5.0}
    channel.load([Technique(discharge.name, {**discharge.parameters, **limits}), ca(1.9)])
    channel.start(START_S)
    reached_s = START_S + 20_000.0
    channel.advance(reached_s - 1.0)
    assert (channel.running, channel.index) == (True, 0)
    channel.advance(reached_s + AUXILIARY_LIMIT_STEP_S)
    assert (channel.running, channel.index) == ((True, 1) if exit_condition == 1.0 else (False, 0))


def test_nothing_can_be_compared_with_the_second_auxiliary_input_where_nothing_is_wired(channel: Channel) -> None:
    word = AUX1_AT_LEAST + (1 << 5)
    with pytest.raises(ChannelError) as refused:
        channel.load([Technique("CPLIMIT", {**cplimit(-11.52e-6, 0.7).parameters, "TEST2CONF": word})])
    assert refused.value.code is Code.BAD_PARAMETERS


def test_a_loop_repeats_its_techniques() -> None:
    channel = Channel(DummyCell(START_S), START_S, 1e-3)
    channel.load([ocv(10.0), ca(0.01, 10.0), Technique("LOOP", {"NLOOP": 2.0, "PROT": 0.0})])
    channel.start(START_S)
    states = []
    for second in (5, 15, 25, 35, 45, 55, 65):
        channel.advance(START_S + second)
        states.append((channel.running, channel.index, channel.num_loops))
    assert states == [
        (True, 0, 0), (True, 1, 0), (True, 0, 1), (True, 1, 1), (True, 0, 2), (True, 1, 2), (False, 1, 2),
    ]  # fmt: skip


def test_a_limit_that_lies_behind_trips_at_once_and_may_stop_the_sequence(channel: Channel) -> None:
    channel.load([cplimit(-11.52e-6, 2.9, exit_condition=2.0), ca(2.0)])
    channel.start(START_S)
    channel.advance(START_S)
    assert not channel.running


def test_the_first_of_several_tests_ends_the_technique(channel: Channel) -> None:
    second = {"TEST2CONF": E_AT_MOST, "TEST2VAL": 2.0}
    channel.load([Technique("CPLIMIT", {**cplimit(-11.52e-6, 1.7).parameters, **second}), ca(2.0)])
    channel.start(START_S)
    assert channel.cell.reading(channel.transition_s).voltage_v == pytest.approx(2.0, abs=1e-5)


def test_what_cannot_be_run_is_refused_with_its_code(channel: Channel) -> None:
    def code(command: object) -> Code:
        assert callable(command)
        with pytest.raises(ChannelError) as refused:
            command()
        return refused.value.code

    assert code(lambda: channel.start(START_S)) is Code.NOTHING_LOADED
    assert code(lambda: channel.load([])) is Code.BAD_PARAMETERS
    assert code(lambda: channel.load([cplimit(-2e-3, 1.0)])) is Code.BAD_PARAMETERS, "above the largest current"
    assert code(lambda: channel.load([ca(2.0, 0.0)])) is Code.BAD_PARAMETERS, "every technique has a duration"
    assert code(lambda: channel.load([ocv(float("nan"))])) is Code.BAD_PARAMETERS
    automatic = Technique("CPLIMIT", {**cplimit(-1e-5, 1.0).parameters, "IRANGE": 12.0})
    assert code(lambda: channel.load([automatic])) is Code.BAD_PARAMETERS
    two_steps = Technique("CA", {**ca(1.0).parameters, "STEPN": 1.0})
    assert code(lambda: channel.load([two_steps])) is Code.BAD_PARAMETERS
    both_needed = Technique("CPLIMIT", {**cplimit(-1e-5, 1.0).parameters, "TEST2CONF": 3.0})
    assert code(lambda: channel.load([both_needed])) is Code.BAD_PARAMETERS
    channel.load([ocv(10.0)])
    channel.start(START_S)
    assert code(lambda: channel.load([ocv(10.0)])) is Code.CHANNEL_RUNNING
    channel.stop(START_S + 1)
    assert code(lambda: channel.start(START_S + 2)) is Code.NOTHING_LOADED, "after a stop it must be loaded again"


def test_a_drifting_clock_shows_in_the_elapsed_time_and_in_durations() -> None:
    channel = Channel(DummyCell(START_S), START_S, 1e-3, clock_offset_s=10.0, clock_drift=5e-5)
    assert channel.elapsed_s(START_S + 1e5) == pytest.approx(10 + 1e5 + 5)
    channel.load([ocv(1e5)])
    channel.start(START_S)
    assert channel.transition_s - START_S == pytest.approx(1e5 - 5, abs=0.01)


def test_a_limit_on_the_current_of_a_hold_is_met_however_late(channel: Channel) -> None:
    i_at_least = 101.0
    limit = NO_TESTS | {"TEST1CONF": i_at_least, "TEST1VAL": -2e-6, "EXITCOND": 2.0}
    hold = Technique("CALIMIT", STEP | {"VSTEP": 1.7, "DURSTEP": 3600.0} | limit)
    channel.load([cplimit(-11.52e-6, 1.7), hold])
    channel.start(START_S + 10)
    begin_s = channel.transition_s
    channel.advance(begin_s)
    assert channel.transition_s == begin_s + 60
    channel.advance(begin_s + 3599)
    assert not channel.running
    met_s = next(second for second in range(3600) if channel.cell.reading(begin_s + second).current_a >= -2e-6)
    assert met_s > 60
    assert channel.cell.reading(begin_s + met_s - 1).current_a < -2e-6
    assert channel.cell.reading(begin_s + met_s + 1).current_a == 0
