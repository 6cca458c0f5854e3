import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.toml_text import toml_text

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
PLAIN = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=12
)


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_what_is_written_reads_back_the_same(content: dict[str, object]) -> None:
    assert tomllib.loads(toml_text(content)) == content


def test_a_table_of_tables_is_written_as_a_person_would() -> None:
    text = toml_text({"layers": {"bore": {"value": 6.0, "unit": "mm"}}, "schedule": [{"step": "rest"}]})
    assert text == '[layers]\nbore = { value = 6.0, unit = "mm" }\n\n[[schedule]]\nstep = "rest"\n'


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), b"bytes"])
def test_what_toml_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="cannot be written as TOML"):
        toml_text({"key": value})
