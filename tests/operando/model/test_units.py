"""Quantities are converted, and refused when the unit is missing or wrong."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.model.units import _USUAL, _registry, parse_quantity


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [
        ("24 h", "s", 86400.0),
        ("1.5 min", "s", 90.0),
        ("-10 mA/g", "mA/g", -10.0),
        ("25 degC", "degC", 25.0),
        ("2.01 1/cm", "1/cm", 2.01),
        ("3.52 um", "um", 3.52),
        ("26 MPa", "MPa", 26.0),
        ("1e-3 A", "A", 1e-3),
        ("100 uA", "A", 1e-4),
        ("700 mV", "V", 0.7),
        ("100 kPa", "MPa", 0.1),
    ],
)
def test_a_quantity_is_converted(text: str, unit: str, number: float) -> None:
    assert parse_quantity(text, unit) == pytest.approx(number)


@pytest.mark.parametrize(
    "text", ["24", "h", "", "24 24", "24 V", "24 parsecs of", 24, None, "1e400 s x", "__import__('os')"]
)
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"unit|quantity"):
        parse_quantity(text, "s")


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "text",
    [
        "1 s*9**9**9",
        "1 s^9^9^9",
        "1 s/9**9**9",
        "1" * 900_000 + "!",
        "1 s" + "*s" * 5000,
        "1 s^99999999",
        "1 " + "s " * 20_000,
    ],
    ids=["tower", "tower of carets", "tower below", "long number", "long unit", "large power", "many units"],
)
def test_a_text_that_would_keep_the_parser_busy_is_refused_at_once(text: str) -> None:
    with pytest.raises(ValueError, match="number with a unit"):
        parse_quantity(text, "s")


@given(st.text(max_size=40) | st.from_regex(r"1 [sVA*/^0-9 ]{1,50}", fullmatch=True))
def test_no_text_breaks_the_parser(text: str) -> None:
    with contextlib.suppress(ValueError):  # the only error a person's text may cause
        parse_quantity(text, "s")


@given(st.sampled_from(sorted(_USUAL)), st.floats(-1e6, 1e6))
def test_usual_units_are_converted_as_pint_does(units: tuple[str, str], number: float) -> None:
    written, unit = units
    text = f"{number:.10f}"
    assert parse_quantity(f"{text} {written}", unit) == pytest.approx(
        _registry().Quantity(float(text), written).to(unit).magnitude, rel=1e-12
    )
