"""The ring current stands in the documents: at tomograms, now and then, and whenever it has changed."""

from math import isnan
from pathlib import Path
from typing import Any

import pytest

from plans.beam_record import EVERY_S
from tests.support.laboratory import Laboratory, new_laboratory


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    return new_laboratory(tmp_path)


def told(laboratory: Laboratory) -> list[float]:
    return [event["ring_current_ma"] for event in laboratory.events("beam")]


def test_a_steady_beam_is_told_at_the_ends_of_each_tomogram_and_every_ten_minutes(laboratory: Laboratory) -> None:
    begin_s = laboratory.clock.now()
    laboratory.run()
    found = told(laboratory)
    assert set(found) == {200.0}
    num_tomograms = len([run for run in laboratory.runs() if run != "outer"])
    longest = 2 * num_tomograms + 1 + (laboratory.clock.now() - begin_s) / EVERY_S
    assert 2 * num_tomograms < len(found) <= longest


def test_a_current_that_changed_is_told_at_once(laboratory: Laboratory) -> None:
    ring: Any = laboratory.instruments.ring_current
    laboratory.clock.at(laboratory.clock.now() + 120.0, lambda: setattr(ring, "value_ma", 150.0))
    laboratory.clock.at(laboratory.clock.now() + 240.0, lambda: setattr(ring, "value_ma", 148.0))
    laboratory.run()
    assert told(laboratory)[:2] == [200.0, 150.0]


def test_a_ring_that_does_not_answer_is_no_number_and_stops_nothing(laboratory: Laboratory) -> None:
    begin_s, ring = laboratory.clock.now(), laboratory.instruments.ring_current

    def silent_at_first() -> float:
        if laboratory.clock.now() - begin_s < 300.0:
            raise TimeoutError("its server is being restarted")
        return 200.0

    anything: Any = ring
    anything.current_ma = silent_at_first
    end = laboratory.run()
    assert end.reason == ""
    found = told(laboratory)
    assert isnan(found[0])
    assert found[-1] == pytest.approx(200.0)
    assert sum(map(isnan, found)) <= 6  # asked again every minute, not at every sample
