"""In which unit a recorded scan gives its angles, where a person had to say it."""

from operando.session.errors import RequestError
from simulators.recorded_data import AngleUnit


def chosen_angle_unit(text: str | None) -> AngleUnit | None:
    """Return the unit that a person gave, None if none was given.

    Raises
    ------
    RequestError
        If it is not known.
    """
    try:
        return None if text is None else AngleUnit(text)
    except ValueError:
        raise RequestError(f"--angle-unit {text}: is not known; allowed are deg and rad.") from None
