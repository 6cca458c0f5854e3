"""Options of a final volume as a person writes them: ranges, quantities, memory."""

import psutil

from live_analysis.final_volume.plan import VolumeSettings
from operando.model.units import parse_quantity
from operando.session.errors import RequestError

MOST_MEMORY_BYTES = 8e9  # unless a person allows more


def volume_settings(
    engine: str,
    rows: str | None,
    region: str | None,
    axis: float | None,
    pixel_size: str | None,
    *,
    partial: bool,
    keep_stripes: bool,
    noise: bool,
    levels: int | None,
) -> VolumeSettings:
    """Return what options say.

    Raises
    ------
    RequestError
        If one of them is not written as it should be.
    """
    box = None
    if region is not None:
        sides = region.split(",")
        if len(sides) != 2:
            raise RequestError(f"--region {region}: is written X0:X1,Y0:Y1, as in 100:300,50:250.")
        box = (*_range("--region", sides[0]), *_range("--region", sides[1]))
    return VolumeSettings(
        engine=engine,
        rows=None if rows is None else _range("--rows", rows),
        region=box,
        axis_column=axis,
        pixel_size_um=None if pixel_size is None else quantity_of("--pixel-size", pixel_size, "um"),
        partial=partial,
        keep_stripes=keep_stripes,
        num_levels=levels,
        noise=noise,
    )


def _range(option: str, text: str) -> tuple[int, int]:
    first, colon, stop = text.partition(":")
    if not (colon and first.strip().isdecimal() and stop.strip().isdecimal() and int(first) < int(stop)):
        raise RequestError(f"{option} {text}: is no range; write the first and the one behind the last, as in 100:164.")
    return int(first), int(stop)


def memory_to_use(text: str | None) -> int:
    """Return the bytes that may be used; without a wish half of what is free, and not more than 8 GB.

    Raises
    ------
    RequestError
        If the wish is none.
    """
    if text is None:
        return round(min(MOST_MEMORY_BYTES, psutil.virtual_memory().available / 2))
    return round(quantity_of("--memory", text, "byte"))


def quantity_of(option: str, text: str, unit: str) -> float:
    """Return the number of ``unit``, more than nothing, that a person wrote after an option.

    Raises
    ------
    RequestError
        If there is none.
    """
    try:
        found = parse_quantity(text, unit)
    except ValueError as error:
        raise RequestError(f"{option}: {error}.") from error
    if not 0 < found < float("inf"):
        raise RequestError(f"{option} {text}: must be more than nothing, and no more than numbers can say.")
    return found
