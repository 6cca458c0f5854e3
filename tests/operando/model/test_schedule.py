"""Loops unroll into the order in which things happen."""

from hypothesis import given
from hypothesis import strategies as st

from operando.model.schedule import Loop, Rest, unrolled


def rest(name: str) -> Rest:
    return Rest.model_validate({"step": "rest", "name": name, "duration": "1 s"})


@given(st.integers(1, 5), st.integers(1, 20), st.data())
def test_a_loop_adds_its_body_as_often_as_asked(num_steps: int, times: int, data: st.DataObject) -> None:
    back = data.draw(st.integers(0, num_steps - 1))
    steps = [rest(f"step{index}") for index in range(num_steps)]
    loop = Loop.model_validate({"step": "loop", "name": "loop", "back_to": f"step{back}", "times": times})
    happened = unrolled((*steps, loop))
    assert len(happened) == num_steps + times * (num_steps - back)
    assert happened[-1][0] == times + 1
    assert [step.name for _, step in happened[:num_steps]] == [step.name for step in steps]


def test_two_loops_one_after_the_other() -> None:
    first = Loop.model_validate({"step": "loop", "name": "first", "back_to": "b", "times": 1})
    second = Loop.model_validate({"step": "loop", "name": "second", "back_to": "c", "times": 1})
    happened = [step.name for _, step in unrolled((rest("a"), rest("b"), first, rest("c"), second))]
    assert happened == ["a", "b", "b", "c", "c"]
