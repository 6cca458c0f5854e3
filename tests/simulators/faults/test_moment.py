import pytest

from operando.model.frames import FrameKind
from simulators.faults.moment import AtFrame, AtTime, AtWallTime, Now, moment


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", Now()),
        ("30 min", AtTime(1800.0)),
        ("12 s of wall time", AtWallTime(12.0)),
        ("projection 20", AtFrame(FrameKind.PROJECTION, 20)),
        ("flat_after 3 of attempt 12", AtFrame(FrameKind.FLAT_AFTER, 3, 12)),
    ],
)
def test_a_moment_is_read_as_it_is_written(text: str, expected: object) -> None:
    assert moment(text) == expected


@pytest.mark.parametrize("text", ["", "12", "-3 s", "projection", "projection 2 of attempt", "12 mm", 5, None])
def test_what_is_no_moment_is_refused_with_examples(text: object) -> None:
    with pytest.raises(ValueError, match="projection 20 of attempt 2"):
        moment(text)
