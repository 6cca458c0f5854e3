"""Times of day as people read them, whatever stands in a damaged file."""

from datetime import datetime


def time_of_day(time_s: float, form: str) -> str:
    """Write a time in s since 1970 in local time; empty where it is none.

    Parameters
    ----------
    form
        As for :meth:`datetime.datetime.strftime`.
    """
    try:
        return datetime.fromtimestamp(time_s).strftime(form)
    except (OSError, OverflowError, ValueError):
        return ""


def zone_text() -> str:
    """Name the zone that times of day are written in here, as in ``UTC+01:00``; a run may be watched from anywhere."""
    offset = datetime.now().astimezone().strftime("%z")
    return f"UTC{offset[:3]}:{offset[3:5]}"
