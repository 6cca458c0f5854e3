import random
from collections.abc import Iterable
from math import isfinite

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operando.model.clock_fit import MAX_POINTS, MIN_POINTS, ClockFit, ClockFitter
from operando.model.clock_words import clock_sentence, server_sentence

BEGIN_S = 1_763_000_000.0  # of the host
PPM = 1e-6
LARGEST_ERROR_S = 0.02  # that a sample's time may be off
NUM_SIGMAS = 3.0


def made(num: int, every_s: float = 1.0) -> list[float]:
    return [BEGIN_S + number * every_s for number in range(num)]


def elapsed_s(made_s: float, offset_s: float, drift: float) -> float:
    return offset_s + (made_s - BEGIN_S) * (1 + drift)


def fitted(
    times_s: Iterable[float], *, offset_s: float, drift: float, mean_delay_s: float = 0.0, seed: int = 0
) -> ClockFitter:
    fitter, chance = ClockFitter(), random.Random(seed)
    for made_s in times_s:
        delay_s = chance.expovariate(1 / mean_delay_s) if mean_delay_s else 0.0
        assert fitter.add(elapsed_s(made_s, offset_s, drift), made_s + delay_s) is None
    return fitter


def known(fitter: ClockFitter) -> ClockFit:
    assert fitter.fit is not None
    return fitter.fit


@settings(max_examples=150, deadline=None)
@given(
    offset_s=st.floats(-1e5, 1e5),
    drift=st.floats(-200 * PPM, 200 * PPM),
    mean_delay_s=st.floats(0.0, 0.01),
    num_polls=st.integers(MIN_POINTS, 600),
    poll_s=st.sampled_from([0.2, 1.0, 60.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_offset_and_drift_lie_within_three_uncertainties_and_no_time_is_off_by_20_ms(
    offset_s: float, drift: float, mean_delay_s: float, num_polls: int, poll_s: float, seed: int
) -> None:
    times_s = made(num_polls, poll_s)
    fit = known(fitted(times_s, offset_s=offset_s, drift=drift, mean_delay_s=mean_delay_s, seed=seed))
    assert abs(fit.drift - drift) <= NUM_SIGMAS * fit.drift_uncertainty
    for made_s in (times_s[0], times_s[-1]):
        shown_s = elapsed_s(made_s, offset_s, drift)
        error_s = abs(fit.host_time_s(shown_s) - made_s)
        assert error_s <= NUM_SIGMAS * fit.uncertainty_s(shown_s)
        if mean_delay_s <= 0.003:  # 12 polls of a slower way leave more, which the uncertainty says
            assert error_s <= LARGEST_ERROR_S


def test_ten_seconds_and_fifty_ppm_are_found_in_an_hour_of_polls_with_one_wild_delay_in_ten() -> None:
    fitter, chance = ClockFitter(), random.Random(1)
    for number, made_s in enumerate(made(3600)):
        delay_s = chance.expovariate(1 / (1.0 if number % 10 == 5 else 0.002))
        fitter.add(elapsed_s(made_s, 10.0, 50 * PPM), made_s + delay_s)
    fit = known(fitter)
    assert fit.drift == pytest.approx(50 * PPM, abs=NUM_SIGMAS * fit.drift_uncertainty)
    assert fit.drift_uncertainty < 2 * PPM
    assert fit.host_time_s(10.0) == pytest.approx(BEGIN_S, abs=0.002)


def test_a_week_of_polls_takes_no_more_memory_than_an_hour() -> None:
    fitter = fitted(made(30_000, 20.0), offset_s=0.0, drift=20 * PPM)
    assert len(fitter._points) <= MAX_POINTS
    assert known(fitter).drift == pytest.approx(20 * PPM, abs=1 * PPM)


@given(ahead_s=st.floats(0.2, 1000.0), ahead=st.booleans(), num_before=st.integers(60, 300))
@settings(max_examples=50, deadline=None)
def test_a_clock_that_was_set_is_fitted_anew_and_the_jump_is_told(ahead_s: float, ahead: bool, num_before: int) -> None:
    drift, jump_s = 50 * PPM, ahead_s if ahead else -ahead_s
    times_s = made(num_before + 40)
    fitter = fitted(times_s[:num_before], offset_s=1e5, drift=drift, mean_delay_s=0.002)
    chance = random.Random(2)
    told = []
    for made_s in times_s[num_before:]:
        arrival_s = made_s + chance.expovariate(1 / 0.002)
        told.append(fitter.add(elapsed_s(made_s, 1e5 + jump_s, drift), arrival_s))
    assert [entry for entry in told if entry is not None] == [pytest.approx(jump_s, abs=0.1)]
    fit = known(fitter)
    assert fit.begin_s == pytest.approx(times_s[num_before], abs=0.1)
    last_s = times_s[-1]
    assert fit.host_time_s(elapsed_s(last_s, 1e5 + jump_s, drift)) == pytest.approx(last_s, abs=LARGEST_ERROR_S)


def test_a_server_that_hangs_for_half_a_minute_is_no_jump() -> None:
    fitter = fitted(made(100), offset_s=0.0, drift=0.0)
    hung_until_s = BEGIN_S + 130.0
    for made_s in made(200)[100:]:  # what was polled meanwhile comes all at once
        assert fitter.add(made_s - BEGIN_S, max(made_s, hung_until_s)) is None
    assert known(fitter).host_time_s(150.0) == pytest.approx(BEGIN_S + 150.0, abs=0.001)


def test_a_clock_that_stands_still_or_says_nothing_changes_nothing() -> None:
    fitter = fitted(made(50), offset_s=0.0, drift=0.0)
    before = fitter.fit
    for made_s in made(300)[50:]:
        assert fitter.add(49.0, made_s) is None
        assert fitter.add(float("nan"), made_s) is None
    assert fitter.fit == before


@given(st.lists(st.tuples(st.floats(), st.floats() | st.floats(BEGIN_S, BEGIN_S + 10)), max_size=40))
def test_nothing_that_an_instrument_may_say_ends_whoever_follows_its_clock(pairs: list[tuple[float, float]]) -> None:
    fitter = ClockFitter()
    for instrument_s, host_s in [*pairs, *sorted(pairs)]:
        fitter.add(instrument_s, host_s)
    if fitter.fit is not None:
        assert isfinite(fitter.fit.zero_s)


def test_a_few_read_outs_are_not_called_a_fit() -> None:
    assert fitted(made(MIN_POINTS - 1), offset_s=0.0, drift=0.0).fit is None


def test_what_is_told_names_size_and_direction() -> None:
    slow = known(fitted(made(3600), offset_s=0.0, drift=-300 * PPM))
    assert clock_sentence("The clock", slow).startswith("The clock runs 300.0 ppm slow (uncertainty ")
    assert "no healthy quartz" in clock_sentence("The clock", slow)
    assert "10.02 s behind this computer's" in server_sentence(10.02)
    assert "10.02 s ahead of this computer's" in server_sentence(-10.02)
    assert not server_sentence(0.03)
