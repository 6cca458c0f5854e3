"""Stack pressure from force: the one place where it is computed."""


def stack_pressure_mpa(force_n: float, area_mm2: float) -> float:
    """Return the pressure that ``force_n`` makes on ``area_mm2``, in MPa (N/mm2); NaN stays NaN."""
    return force_n / area_mm2
