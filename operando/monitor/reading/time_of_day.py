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
