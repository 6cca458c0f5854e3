from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from math import isnan, nan
from typing import Any

import pytest

from operando.model.schedule import ConstantCurrent, ConstantVoltage, Rest, unrolled
from operando.monitor.reading.next_trigger import NextTriggers, Trigger, about_text
from operando.monitor.reading.schedule_story import ScheduleStory
from operando.monitor.reading.voltage_forecast import Bend, Forecast

BEGIN_S = 1_700_000_000.0
HOUR_S = 3600.0
REST = Rest.model_validate(
    {"step": "rest", "name": "rest", "duration": "24 h", "tomograms": [{"name": "OCV", "at": "end"}]}
)
DISCHARGE = ConstantCurrent.model_validate(
    {
        "step": "constant_current",
        "name": "discharge",
        "current": "-10 mA/g",
        "until_voltage": "0.7 V",
        "max_duration": "70 h",
        "tomograms": [{"name": "D1.7V", "voltage": "1.7 V"}, {"name": "D1.2V", "voltage": "1.2 V"}],
    }
)
FILM = ConstantVoltage.model_validate(
    {
        "step": "constant_voltage",
        "name": "film",
        "voltage": "1.2 V",
        "duration": "2 h",
        "tomograms": [{"name": "first", "at": "start"}, {"name": "film", "every": "900 s"}],
    }
)
STEPS = unrolled((REST, DISCHARGE, FILM))


def story(*lines: tuple[str, str, str] | dict[str, Any]) -> ScheduleStory:
    """Return the story of intents and outcomes, given as (entry, name, outcome or ``begins``)."""
    told = ScheduleStory()
    for line in lines:
        if isinstance(line, dict):
            told.add_line(line)
            continue
        entry, name, what = line
        event = {"event": "intent"} if what == "begins" else {"event": "outcome", "outcome": what}
        told.add_line({"time": BEGIN_S, "entry": entry, "name": name, **event})
    return told


def found(
    told: ScheduleStory, *, running: str = "", after_s: Callable[[float], float] = lambda _: nan
) -> list[Trigger]:
    """Return the triggers, where the voltage in V reaches a target ``after_s`` of it."""
    return list(
        NextTriggers(told, lambda _, target_v: Forecast(after_s(target_v)), BEGIN_S, running=running).find(STEPS)
    )


IN_DISCHARGE = (("step", "rest", "complete"), ("step", "discharge", "begins"))


def test_the_end_of_a_rest_is_as_long_away_as_the_rest_lasts() -> None:
    (trigger,) = found(story(("step", "rest", "begins")))
    assert trigger.text == "OCV at the end of rest"
    assert trigger.due_s == BEGIN_S + 24 * HOUR_S
    assert trigger.when_text(BEGIN_S + 23 * HOUR_S, clock_is_the_walls=False) == "in 1 h 00 min"


def test_voltages_come_in_their_order_each_with_its_forecast() -> None:
    first, second = found(story(*IN_DISCHARGE), after_s=lambda target_v: HOUR_S if target_v == 1.7 else nan)
    assert (first.text, first.due_s, first.estimated) == ("D1.7V at 1.7 V", BEGIN_S + HOUR_S, True)
    assert second.text == "D1.2V at 1.2 V"
    assert isnan(second.due_s)


@pytest.mark.parametrize("outcome", ["complete", "missed", "partial", "failed"])
def test_what_has_ended_is_not_waited_for(outcome: str) -> None:
    assert [t.tomogram for t in found(story(*IN_DISCHARGE, ("tomogram", "D1.7V", outcome)))] == ["D1.2V"]


def test_what_was_aborted_comes_again() -> None:
    assert found(story(*IN_DISCHARGE, ("tomogram", "D1.7V", "aborted")))[0].tomogram == "D1.7V"


def test_what_is_being_taken_is_not_to_come() -> None:
    assert found(story(*IN_DISCHARGE), running="D1.7V")[0].tomogram == "D1.2V"


def test_what_a_person_skips_does_not_come() -> None:
    skip = {"event": "request_done", "id": "1", "answer": "x", "skips": "D1.7V"}
    assert found(story(*IN_DISCHARGE, skip))[0].tomogram == "D1.2V"


def test_a_voltage_after_the_longest_duration_has_no_time() -> None:
    first, _ = found(story(*IN_DISCHARGE), after_s=lambda _: 71 * HOUR_S)
    assert isnan(first.due_s)
    assert first.when_text(BEGIN_S, clock_is_the_walls=True) == ""


def test_of_a_series_the_next_one_comes_at_its_multiple() -> None:
    told = story(
        ("step", "rest", "complete"),
        ("step", "discharge", "complete"),
        ("step", "film", "begins"),
        ("tomogram", "first", "complete"),
        ("tomogram", "film_001", "complete"),
    )
    (trigger,) = found(told)
    assert (trigger.tomogram, trigger.due_s) == ("film_002", BEGIN_S + 1800.0)
    assert trigger.when_text(BEGIN_S + 1801.0, clock_is_the_walls=False) == "due now"


def test_when_a_step_has_nothing_left_the_first_of_a_later_one_is_named_without_a_time() -> None:
    (trigger,) = found(story(("step", "rest", "begins"), ("tomogram", "OCV", "complete")))
    assert trigger.text == "D1.7V at 1.7 V in discharge"
    assert isnan(trigger.due_s)


def test_after_the_last_one_nothing_is_to_come() -> None:
    assert not found(story(*(("step", name, "complete") for name in ("rest", "discharge", "film"))))


def test_an_estimate_is_told_with_the_time_of_day_only_where_the_clock_is_the_walls() -> None:
    trigger = Trigger("D1.7V", "at 1.7 V", BEGIN_S + 7900.0, estimated=True)
    assert trigger.when_text(BEGIN_S, clock_is_the_walls=False) == "about 2 h 10 min at this slope"
    of_day = datetime.fromtimestamp(BEGIN_S + 7900.0).strftime("%H:%M")
    assert trigger.when_text(BEGIN_S, clock_is_the_walls=True).endswith(f"near {of_day}")
    bent = replace(trigger, bend=Bend.STEEPER)
    assert bent.when_text(BEGIN_S, clock_is_the_walls=False) == "about 2 h 10 min or sooner at this slope"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (20, "within a minute"),
        (130, "about 2 min"),
        (1_000, "about 15 min"),
        (7_900, "about 2 h 10 min"),
        (30_000, "about 8 h 30 min"),
        (200_000, "about 2 d 06 h"),
    ],
)
def test_an_estimate_is_no_finer_than_it_can_be_known(seconds: float, text: str) -> None:
    assert about_text(seconds) == text
