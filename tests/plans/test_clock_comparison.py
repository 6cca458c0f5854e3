from pathlib import Path

import pytest

from tests.support.laboratory import Laboratory, new_laboratory


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    return new_laboratory(tmp_path)


def test_a_run_begins_with_what_is_known_of_the_potentiostats_clock(laboratory: Laboratory) -> None:
    told: list[str] = []
    laboratory.cell.clock_server_behind.put(10.02)
    laboratory.run(tell=told.append)
    assert [sentence for text in told for sentence in text.split(". ")] == [
        "The potentiostat's samples are placed to 1.0 ms; its clock drifts by +50 ppm (uncertainty 20 ppm, falling "
        "with time)",
        "The clock of the potentiostat's server is 10.02 s behind this computer's",
        "Nothing here is aligned by it, but have it set: files that the server writes carry its times.",
    ]


def test_a_clock_that_stands_still_keeps_nobody_from_measuring(laboratory: Laboratory) -> None:
    told: list[str] = []
    laboratory.cell.clock_uncertainty.put(float("nan"))
    begin_s = laboratory.clock.now()
    end = laboratory.run(tell=told.append)
    assert "could not be compared with this computer's within 30 s" in told[0]
    assert end.tomograms
    assert laboratory.cell.commands[0][0] == "set_sampling"
    assert laboratory.clock.now() - begin_s > 30.0
