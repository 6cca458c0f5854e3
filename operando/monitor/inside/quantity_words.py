"""Names and units of quantities as people write them."""

WRITTEN_UNITS = {"1": "", "um": "µm", "um2": "µm²", "um3": "µm³", "degC": "°C", "deg": "°"}


def quantity_text(name: str) -> str:
    """Return the name in words."""
    return name.replace("_", " ")


def unit_text(unit: str) -> str:
    """Return a unit in brackets; empty for a number without one."""
    written = WRITTEN_UNITS.get(unit, unit)
    return f"[{written}]" if written else ""
