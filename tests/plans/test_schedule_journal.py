"""The journal of the schedule gives back what was written, whatever else stands in its file."""

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from operando.model.clock import SystemClock
from operando.model.outcome import Outcome
from plans.schedule_journal import ScheduleJournal
from tests.support.strange_json import damaged


def lines_of_a_run(path: Path) -> list[Any]:
    clock = SystemClock()
    journal = ScheduleJournal(path, clock)
    journal.begun(rotation_velocity_deg_s=12.0)
    journal.intent("step", "rest", kind="rest")
    journal.commanded("step", "rest")
    for attempt in (1, 2):
        journal.intent("tomogram", "OCV", attempt=attempt, step="rest", cycle=1)
        outcome = Outcome.PARTIAL if attempt == 1 else Outcome.COMPLETE
        journal.outcome("tomogram", "OCV", outcome, attempt=attempt, reason="", uid="1234")
    journal.close()
    clock.close()
    return [json.loads(line) for line in path.read_text().splitlines()]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_line_that_says_nothing_usable_costs_no_other_line(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "schedule.jsonl"
        lines = lines_of_a_run(path)
        strange = data.draw(damaged(data.draw(st.sampled_from(lines))))
        if isinstance(strange, dict):
            strange["name"] = "another"  # what a line does say of an entry counts
        lines.insert(data.draw(st.integers(0, len(lines))), strange)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        clock = SystemClock()
        journal = ScheduleJournal(path, clock)
        assert journal.ended("tomogram", "OCV") == "complete"
        assert journal.next_attempt() >= 3
        assert journal.began_s("step", "rest") == lines_with("rest", lines)["time"]
        journal.new_requests()
        journal.close()
        clock.close()


def lines_with(name: str, lines: list[Any]) -> dict[str, Any]:
    return next(line for line in lines if isinstance(line, dict) and line.get("name") == name)
