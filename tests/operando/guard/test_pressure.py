import pytest

from operando.guard.pressure import pressure_limit, stack_pressure_mpa
from operando.model.beamline import ForceInput


def test_pressure_is_force_over_area() -> None:
    assert stack_pressure_mpa(10_000.0, 78.54) == pytest.approx(127.3, abs=0.1)  # 10 kN on 10 mm diameter


@pytest.mark.parametrize(
    ("number", "volts", "word", "limit_v"),
    [(1, (0.0, 10.0), 37, 5.0), (2, (0.0, 10.0), 69, 5.0), (1, (10.0, 0.0), 33, 5.0), (2, (1.0, 5.0), 69, 3.0)],
)
def test_the_instrument_stops_where_the_force_amplifier_says_the_largest_pressure(
    number: int, volts: tuple[float, float], word: int, limit_v: float
) -> None:
    force_input = ForceInput.model_validate({"number": number, "volts": volts, "force_n": (0.0, 2000.0)})
    limit = pressure_limit(force_input, max_pressure_mpa=25.0, area_mm2=40.0)  # 1000 N
    assert limit.word == word
    assert limit.value == pytest.approx(limit_v)
