"""Laws of the delay: noise does not trip, what lasts does, and nothing that comes and goes is forgotten too early."""

from hypothesis import given
from hypothesis import strategies as st

from operando.guard.debounce import SETTLE_S, TOLERANCE_S, Debounce, Turn

DELAYS = st.sampled_from([0.0, 0.5, 1.5, 3.0, 12.0])
INTERVALS = st.sampled_from([0.05, 0.2, 1.0, 2.0, 30.0])
COURSES = st.lists(st.tuples(INTERVALS, st.booleans()), min_size=1, max_size=40)


def looked_at(delay_s: float, course: list[tuple[float, bool]]) -> list[tuple[float, bool, bool, Turn]]:
    """Return time, outside, counts and turn of each reading."""
    debounce, time_s, found = Debounce(delay_s), 0.0, []
    for interval_s, outside in course:
        time_s += interval_s
        turn = debounce.look(time_s, outside=outside)
        found.append((time_s, outside, debounce.counts, turn))
    return found


def first_count_s(delay_s: float, course: list[tuple[float, bool]]) -> float:
    return next((time_s for time_s, _, counts, _ in looked_at(delay_s, course) if counts), float("inf"))


@given(DELAYS, COURSES)
def test_it_counts_first_at_a_reading_outside_that_comes_the_delay_after_one(
    delay_s: float, course: list[tuple[float, bool]]
) -> None:
    found = looked_at(delay_s, course)
    outside_s = [time_s for time_s, outside, _, _ in found if outside]
    begins = [(time_s, outside) for time_s, outside, _, turn in found if turn is Turn.BEGAN]
    for time_s, outside in begins:
        assert outside
        assert any(then_s <= time_s - delay_s + TOLERANCE_S for then_s in outside_s)


@given(DELAYS, st.lists(INTERVALS, min_size=1, max_size=40))
def test_what_stays_outside_counts_as_soon_as_the_delay_is_over(delay_s: float, intervals: list[float]) -> None:
    found = looked_at(delay_s, [(interval_s, True) for interval_s in intervals])
    begun_s = found[0][0]
    assert all(counts is (time_s - begun_s >= delay_s - TOLERANCE_S) for time_s, _, counts, _ in found)


@given(st.sampled_from([0.5, 1.5, 3.0]), st.integers(1, 20))
def test_a_reading_alone_never_counts(delay_s: float, num_before: int) -> None:
    course = [(1.0, False)] * num_before + [(1.0, True)] + [(1.0, False)] * 20
    assert first_count_s(delay_s, course) == float("inf")


@given(st.sampled_from([0.0, 0.5, 1.5, 3.0]))
def test_what_is_outside_every_second_time_counts(delay_s: float) -> None:
    assert first_count_s(delay_s, [(0.4, number % 2 == 0) for number in range(40)]) < 10.0


@given(COURSES, DELAYS, DELAYS)
def test_a_longer_delay_never_counts_earlier(course: list[tuple[float, bool]], one_s: float, other_s: float) -> None:
    shorter_s, longer_s = sorted((one_s, other_s))
    # A longer delay also forgets later, so only courses that stay outside can be compared.
    lasting = [(interval_s, True) for interval_s, _ in course]
    assert first_count_s(shorter_s, lasting) <= first_count_s(longer_s, lasting)


@given(DELAYS, COURSES)
def test_more_readings_outside_never_make_it_count_later(delay_s: float, course: list[tuple[float, bool]]) -> None:
    worse = [(interval_s, outside or number % 3 == 0) for number, (interval_s, outside) in enumerate(course)]
    assert first_count_s(delay_s, worse) <= first_count_s(delay_s, course)


@given(DELAYS, COURSES)
def test_it_is_over_only_after_ten_seconds_inside(delay_s: float, course: list[tuple[float, bool]]) -> None:
    found = looked_at(delay_s, course)
    for time_s, _, _, turn in found:
        if turn is Turn.OVER:
            recent = [outside for then_s, outside, _, _ in found if time_s - SETTLE_S < then_s <= time_s]
            assert not any(recent)


@given(DELAYS, COURSES)
def test_every_beginning_has_one_end(delay_s: float, course: list[tuple[float, bool]]) -> None:
    turns = [turn for _, _, _, turn in looked_at(delay_s, [*course, *[(30.0, False)] * 2])]
    assert turns.count(Turn.BEGAN) == turns.count(Turn.OVER)


def test_a_clock_that_is_set_back_delays_nothing_for_longer_than_the_delay() -> None:
    debounce = Debounce(1.5)
    debounce.look(10_000.0, outside=True)
    turns = [debounce.look(time_s, outside=True) for time_s in (6400.0, 6401.0, 6402.0)]
    assert turns[-1] is Turn.BEGAN
