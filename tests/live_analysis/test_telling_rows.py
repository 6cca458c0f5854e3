import numpy as np

from live_analysis.telling_rows import telling_rows

RNG = np.random.default_rng(2)


def scan(contrast_of_rows: list[float]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    contrasts = np.array(contrast_of_rows, np.float32)[None, :, None]
    return 1 + contrasts * RNG.normal(0, 1, (16, len(contrast_of_rows), 300)).astype(np.float32)


def test_rows_in_which_nothing_turns_are_left_for_those_in_which_something_does() -> None:
    assert telling_rows(scan([0.01] * 30 + [0.2] * 12 + [0.01] * 3), 12) == slice(30, 42)
    assert telling_rows(scan([0.2] * 4 + [0.01] * 41), 12) == slice(0, 12)


def test_a_little_more_elsewhere_is_no_reason_to_leave_the_middle() -> None:
    assert telling_rows(scan([0.1] * 30 + [0.15] * 12), 12) == slice(15, 27)


def test_fewer_rows_than_wanted_are_all_taken() -> None:
    assert telling_rows(scan([0.1] * 5), 12) == slice(0, 5)
