"""Whatever is put into COMMAND, the guard refuses it with a sentence or takes it as a command; nothing else happens."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.guard.command_text import LONGEST_ID, LONGEST_TEXT, answer_text, parsed
from operando.guard.inbox import Answer

TOKEN = "a secret of the run"
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30))
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
)
KEYS = st.sampled_from(["id", "token", "command", "arguments"])


def text(**said: Any) -> str:
    return json.dumps({"id": "1", "token": TOKEN, "command": "note", "arguments": {}} | said)


@given(st.text(max_size=300))
def test_any_text_is_refused(said: str) -> None:
    assert parsed(said, TOKEN)[1].endswith(".")


@given(st.dictionaries(KEYS, ANYTHING, max_size=4) | ANYTHING)
def test_any_json_without_the_token_is_refused_with_an_answer_that_fits(said: Any) -> None:
    command, refusal = parsed(json.dumps(said), TOKEN)
    assert refusal
    answer = json.loads(answer_text(Answer(command.id, "refused", refusal)))
    assert answer["id"] == command.id
    assert len(command.id) <= LONGEST_ID


@pytest.mark.parametrize(
    "said",
    [
        "[" * 3999,
        '{"id":' * 600,
        '{"a":' * 600 + "1" + "}" * 600,
        "1" * 3999,
        '{"id": 1e999}',
        text(token="\ud800"),
        text(token=["a secret of the run"]),
        text(arguments={"period_s": [1, 2]}),
        text(arguments={"deep": json.loads("[" * 200 + "]" * 200)}),
        text(id="x" * 3900),
    ],
    ids=["brackets", "open tables", "deep", "a long number", "an infinite id", "half a character", "a list as token",
         "a list", "deep arguments", "a long id"],
)  # fmt: skip
def test_hostile_texts_are_refused(said: str) -> None:
    assert parsed(said, TOKEN)[1].endswith(".")


def test_a_token_counts_only_whole() -> None:
    assert parsed(text(), TOKEN)[1] == ""
    for wrong in ("", TOKEN[:-1], TOKEN + " ", TOKEN.upper()):
        assert "token" in parsed(text(token=wrong), TOKEN)[1]


@given(st.dictionaries(st.text(max_size=20), SCALARS, max_size=5))
def test_arguments_arrive_as_they_were_sent(arguments: dict[str, Any]) -> None:
    command, refusal = parsed(text(arguments=arguments), TOKEN)
    assert not refusal
    assert repr(command.arguments) == repr(json.loads(json.dumps(arguments)))  # NaN is not equal to itself


@given(st.text(max_size=LONGEST_ID), st.text(max_size=5000))
def test_every_answer_is_whole_json_within_the_waveform(identity: str, reason: str) -> None:
    shown = answer_text(Answer(identity, "failed", reason))
    assert len(shown) < LONGEST_TEXT
    assert json.loads(shown)["id"] == identity
