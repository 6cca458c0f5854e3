"""A ledger of seconds tells those of the instruments from those of the software."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plans.dead_time import DeadTime
from tests.support.fast_clock import FastClock


class Move:
    """A status that is done when told."""

    def __init__(self) -> None:
        self._callbacks: list[Any] = []

    def add_callback(self, callback: Any) -> None:
        self._callbacks.append(callback)

    def end(self) -> None:
        for callback in self._callbacks:
            callback(self)


def test_what_passes_before_and_after_a_move_is_softwares() -> None:
    clock = FastClock()
    ledger, move = DeadTime(clock), Move()
    with ledger.phase("move"):
        clock.sleep_until(clock.now() + 0.25)
        ledger.busy_until(move)
        clock.sleep_until(clock.now() + 4.0)
        move.end()
        clock.sleep_until(clock.now() + 0.5)
    assert ledger.as_table()["move"]["software_s"] == 0.75
    assert ledger.as_table()["move"]["clock_s"] == 4.75


def test_a_move_that_lasts_through_phases_counts_in_each() -> None:
    clock = FastClock()
    ledger, move = DeadTime(clock), Move()
    with ledger.phase("first"):
        ledger.busy_until(move)
        clock.sleep_until(clock.now() + 1.0)
    with ledger.phase("second"):
        clock.sleep_until(clock.now() + 1.0)
        move.end()
        clock.sleep_until(clock.now() + 1.0)
    with ledger.phase("second"):
        clock.sleep_until(clock.now() + 1.0)
    software = {name: row["software_s"] for name, row in ledger.as_table().items()}
    assert software == {"first": 0.0, "second": 2.0}


def test_a_move_that_never_ends_is_the_instruments() -> None:
    clock = FastClock()
    ledger = DeadTime(clock)
    with ledger.phase("move"):
        ledger.busy_until(Move())
        clock.sleep_until(clock.now() + 3.0)
    assert ledger.as_table()["move"]["software_s"] == 0.0


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=6))
def test_whatever_overlaps_the_seconds_add_up(moves: list[tuple[int, int]]) -> None:
    clock = FastClock()
    begin_s = clock.now()
    ledger = DeadTime(clock)
    changes = sorted(
        [(begin, 0, number) for number, (begin, _) in enumerate(moves)]
        + [(begin + length, 1, number) for number, (begin, length) in enumerate(moves)]
    )
    statuses = [Move() for _ in moves]
    with ledger.phase("all"):
        for at, ends, number in changes:
            clock.sleep_until(begin_s + at)
            if ends:
                statuses[number].end()
            else:
                ledger.busy_until(statuses[number])
        clock.sleep_until(begin_s + 50.0)
    busy = {second for begin, length in moves for second in range(begin, begin + length)}
    row = ledger.as_table()["all"]
    assert (row["clock_s"], row["software_s"]) == (50.0, 50.0 - len(busy))
