"""What is told of a step stands in the report, also where the schedule went on."""

import pytest

from operando.session.report.course import things_to_mark
from operando.session.report.run_story import RunStory, StepStory
from operando.session.report.step_table import steps_done


@pytest.mark.parametrize(("reason", "said"), [("", "complete"), ("Stop was pressed.", "complete: Stop was pressed.")])
def test_a_complete_step_tells_what_was_told_of_it(reason: str, said: str) -> None:
    story = RunStory()
    story.steps = [StepStory("rest", "rest", 0.0, 10.0, "complete", reason, 3.0)]
    assert steps_done(story, None).rows[0][-1] == said
    assert [mark.words for mark in things_to_mark(story, ())] == ([f"step rest: {said}"] if reason else [])
