import math
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from campaigns.coverage import Case, coverages, judged_cases, share_inside
from campaigns.coverage_tables import cases_table, coverage_tables, share_text


def case(error: float, uncertainty: float = 1.0, name: str = "crack_volume") -> Case:
    return Case("cell 1", "discharged", name, "um3", 100.0, 100.0 + error, uncertainty, ())


def test_inside_is_up_to_two_uncertainties() -> None:
    (found,) = coverages([case(0.0), case(2.0), case(-2.0), case(-3.0)])
    assert (found.num_cases, found.num_inside, found.share) == (4, 3, 0.75)
    assert found.bias == pytest.approx(-0.75)
    assert found.rms == pytest.approx(math.sqrt(17 / 4))
    assert found.worst.error == -3.0


def test_who_is_right_needs_no_uncertainty_and_who_is_wrong_needs_one() -> None:
    assert case(0.0, 0.0).inside
    assert not case(1e-9, 0.0).inside
    assert case(1e-9, 0.0).deviation == math.inf


def test_honest_uncertainties_cover_about_95_percent_with_an_rms_of_one() -> None:
    uncertainty = np.random.default_rng(1).uniform(0.1, 5.0, 4000)
    errors = uncertainty * np.random.default_rng(2).standard_normal(4000)
    cases = [case(*pair) for pair in zip(errors.tolist(), uncertainty.tolist(), strict=True)]
    assert share_inside(cases) == pytest.approx(0.954, abs=0.01)  # three standard deviations of 4000 draws
    assert coverages(cases)[0].rms == pytest.approx(1.0, abs=0.035)


def row(**changed: object) -> dict[str, object]:
    plain = {"tomogram": "OCV", "name": "crack_volume", "unit": "um3", "true": 0.0, "measured": 0.0}
    return plain | {"uncertainty": 5.0, "flags": ["below_detection"]} | changed


def test_nothing_found_is_a_case_and_what_has_no_truth_or_says_it_is_wrong_is_none() -> None:
    rows = [
        row(),
        row(true=None),
        row(measured=None, uncertainty=None),
        row(flags=["grey_values_not_absolute"]),
        row(flags=["cell_contradicted"]),
        row(name="crack_count", true=42.0, uncertainty=0.0),
    ]
    assert [found.where for found in judged_cases("cell 1", rows)] == ["OCV"]


def printed(*tables: object) -> str:
    console = Console(file=StringIO(), width=140)
    console.print(*tables)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_the_tables_say_where_it_is_worst() -> None:
    cases = [case(error) for error in (1.0, -1.0, 5.0)] + [case(0.0, name="voltage")]
    told = printed(*coverage_tables(cases))
    assert "from pictures: truth inside two uncertainties in 2 of 3 cases, 66.7%" in told
    assert "from instruments: truth inside two uncertainties in 1 of 1 cases, 100.0%" in told
    assert "BELOW 90%; worst: discharged of cell 1" in told
    assert "OUTSIDE" in printed(cases_table(cases))
    assert share_text(cases) == "3 of 4 cases, 75.0%"
