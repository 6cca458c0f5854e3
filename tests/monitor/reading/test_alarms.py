import json
from math import isnan

from operando.monitor.reading.alarms import NUM_KEPT, Alarms

WARM = {"quantity": "temperature", "limit_kind": "absolute", "class": "instrument_fault", "action": "warn"}
HOT = {**WARM, "class": "cell_danger", "action": "open_circuit"}


def told(*events: tuple[str, str, dict[str, str] | str | None]) -> Alarms:
    """Return the alarms of events (kind, text, data), one second apart."""
    alarms = Alarms()
    for second, (kind, text, data) in enumerate(events):
        written = data if isinstance(data, str) else json.dumps(data or {})
        alarms.add({"kind": kind, "text": text, "time_s": 10.0 + second, "wall_s": 0.0, "data": written})
    return alarms


def test_the_ordinary_log_is_no_alarm() -> None:
    assert told(("guard", "Started.", None), ("command", "rest: done", None), ("note", "tea", None)).all == ()


def test_a_limit_is_on_until_the_same_one_is_over() -> None:
    events = (("limit", "41 degC", WARM), ("limit", "46 degC", HOT), ("limit_over", "fine again", HOT))
    warm, hot = told(*events).all
    assert warm.is_on
    assert not hot.is_on
    assert (hot.over_s, hot.ending) == (12.0, "fine again")


def test_a_trip_is_on_until_a_person_clears_it() -> None:
    (trip,) = told(("trip", "0.64 V", None), ("safe", "verified", None)).all
    assert trip.is_on
    (trip,) = told(("trip", "0.64 V", None), ("trip_cleared", "M. Muster: pressed again", None)).all
    assert trip.ending == "Cleared by M. Muster: pressed again"
    assert not trip.is_on


def test_an_unsafe_cell_is_one_alarm_however_often_it_is_told() -> None:
    alarms = told(("unsafe", "may be connected", None), ("unsafe", "may be connected", None)).all
    assert [alarm.is_on for alarm in alarms] == [True]
    (unsafe,) = told(("unsafe", "may be connected", None), ("safe", "verified at last", None)).all
    assert unsafe.over_s == 11.0


def test_a_missed_limit_has_no_end_and_does_not_go_on() -> None:
    (missed,) = told(("limit_missed", "it may hold unreached", None)).all
    assert isnan(missed.over_s)
    assert not missed.is_on


def test_a_late_sample_is_an_alarm_that_does_not_go_on() -> None:
    (late,) = told(("late", "A sample came 30.0 s later than it was due.", None)).all
    assert late.word == "LATE"
    assert not late.is_on


def test_a_guard_that_began_anew_tells_again_what_is_still_so() -> None:
    (warm,) = told(("limit", "41 degC", WARM), ("guard", "Started.", None)).all
    assert not warm.is_on


def test_damaged_data_are_an_alarm_all_the_same() -> None:
    for data in ("{torn", "[1]", "null", ""):
        (alarm,) = told(("limit", "46 degC", data)).all
        assert alarm.is_on


def test_what_goes_on_is_kept_however_many_come_and_go_after_it() -> None:
    chatter = [("limit", "41 degC", WARM), ("limit_over", "fine again", WARM)] * 300
    alarms = told(("limit", "3 MPa", {"quantity": "stack_pressure"}), *chatter)
    assert [alarm.text for alarm in alarms.all if alarm.is_on] == ["3 MPa"]
    assert (len(alarms.all), alarms.num_left_out) == (NUM_KEPT, 301 - NUM_KEPT)
