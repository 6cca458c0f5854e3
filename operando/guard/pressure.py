"""Stack pressure from force: the one place where it is computed, and the limit on it that the potentiostat keeps."""

from devices.instrument_limit import InstrumentLimit
from operando.model.beamline import ForceInput


def stack_pressure_mpa(force_n: float, area_mm2: float) -> float:
    """Return the pressure that ``force_n`` makes on ``area_mm2``, in MPa (N/mm2); NaN stays NaN."""
    return force_n / area_mm2


def pressure_limit(force_input: ForceInput, max_pressure_mpa: float, area_mm2: float) -> InstrumentLimit:
    """Return the limit at the auxiliary input at which the force amplifier says ``max_pressure_mpa``."""
    (first_v, second_v), (first_n, second_n) = force_input.volts, force_input.force_n
    v_per_n = (second_v - first_v) / (second_n - first_n)
    limit_v = first_v + (max_pressure_mpa * area_mm2 - first_n) * v_per_n
    return InstrumentLimit.auxiliary(force_input.number, limit_v, at_least=v_per_n > 0)
