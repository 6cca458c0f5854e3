from math import inf, nan
from time import tzset

import pytest

from operando.monitor.reading.time_of_day import time_of_day, zone_text


@pytest.mark.parametrize(("zone", "told", "hour"), [("UTC0", "UTC+00:00", "12:00"), ("IST-5:30", "UTC+05:30", "17:30")])
def test_times_of_day_are_those_of_the_zone_that_is_named(
    monkeypatch: pytest.MonkeyPatch, zone: str, told: str, hour: str
) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", zone)
        tzset()
        assert zone_text() == told
        assert time_of_day(1_700_000_000.0 - 1_700_000_000.0 % 86_400 + 43_200, "%H:%M") == hour
    tzset()


@pytest.mark.parametrize("time_s", [nan, inf, 1e300])
def test_no_time_has_no_time_of_day(time_s: float) -> None:
    assert time_of_day(time_s, "%H:%M") == ""
