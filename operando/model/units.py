"""Quantities as people write them in an experiment file: a number and a unit, never a bare number."""

import re
import tokenize
from functools import cache
from typing import Annotated, Any

from pydantic import BeforeValidator

LONGEST_TEXT = 60  # pint evaluates what it reads: a long or towering unit would keep it busy for ever
_TERM = r"[A-Za-z%°µμΩ]+(?:(?:\^|\*\*)-?\d)?"  # a unit and at most one power
_QUANTITY = re.compile(
    rf"^\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*((?:1/)?{_TERM}(?:[ ]?[*/ ][ ]?{_TERM})*)\s*$"
)
_USUAL = {  # factors between units so usual that pint, which takes half a second to load, is not asked
    ("uA", "A"): 1e-6,
    ("mA", "A"): 1e-3,
    ("mV", "V"): 1e-3,
    ("ms", "s"): 1e-3,
    ("min", "s"): 60.0,
    ("h", "s"): 3600.0,
    ("d", "s"): 86400.0,
}


@cache
def _registry() -> Any:
    import pint  # half a second: only when a file is read

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)


def parse_quantity(text: object, unit: str) -> float:
    """Return the number of ``unit`` that ``text`` says, as in ``parse_quantity("24 h", "s") == 86400``.

    Raises
    ------
    ValueError
        If the unit is missing, unknown or of another dimension.
    """
    if isinstance(text, int | float):
        raise ValueError(
            f"{text!r} has no unit: write it as text with a unit that converts to {unit}, as in '1 {unit}'"
        )
    match = _QUANTITY.match(text) if isinstance(text, str) and len(text) <= LONGEST_TEXT else None
    if match is None:
        raise ValueError(f"{str(text)[:LONGEST_TEXT]!r} is not a number with a unit: write it as in '1 {unit}'")
    number, written = match.groups()
    usual = 1.0 if written == unit else _USUAL.get((written, unit))
    if usual is not None:
        return float(f"{float(number) * usual:.14g}")
    import pint

    try:
        converted = _registry().Quantity(float(number), written).to(unit).magnitude
        return float(f"{converted:.14g}")  # 700 mV are 0.7 V, not 0.7000000000000001 V
    except (
        pint.errors.PintError,
        tokenize.TokenError,
        ArithmeticError,
        AttributeError,
        TypeError,
        ValueError,
    ) as error:
        raise ValueError(f"{text!r} is not a quantity in {unit} or a unit that converts to it") from error


def _in_unit(unit: str) -> BeforeValidator:
    return BeforeValidator(lambda value: parse_quantity(value, unit))


# Types of fields that are written with a unit and held as a float in that unit.
Seconds = Annotated[float, _in_unit("s")]
Volts = Annotated[float, _in_unit("V")]
Amperes = Annotated[float, _in_unit("A")]
Millimetres = Annotated[float, _in_unit("mm")]
Micrometres = Annotated[float, _in_unit("um")]
Milligrams = Annotated[float, _in_unit("mg")]
MilliampereHoursPerGram = Annotated[float, _in_unit("mAh/g")]
Megapascals = Annotated[float, _in_unit("MPa")]
DegreesCelsius = Annotated[float, _in_unit("degC")]
KiloElectronvolts = Annotated[float, _in_unit("keV")]
Degrees = Annotated[float, _in_unit("deg")]
PerCentimetre = Annotated[float, _in_unit("1/cm")]
