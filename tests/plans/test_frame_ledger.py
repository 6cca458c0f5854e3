"""No count of frames but the right one makes a tomogram complete."""

from hypothesis import example, given
from hypothesis import strategies as st

from devices.camera import FrameCounts
from operando.model.frames import FrameKind
from plans.frame_ledger import FrameLedger

EXPECTED = {FrameKind.DARK: 2, FrameKind.FLAT: 3, FrameKind.PROJECTION: 5}
COUNTS = st.integers(0, 6)
CAME = st.dictionaries(st.sampled_from(list(EXPECTED)), st.builds(FrameCounts, COUNTS, COUNTS, COUNTS, COUNTS))


def all_of(kind: FrameKind) -> FrameCounts:
    return FrameCounts(EXPECTED[kind], EXPECTED[kind], 0, EXPECTED[kind])


@given(came=CAME)
@example(came={kind: all_of(kind) for kind in EXPECTED})
def test_it_has_no_difference_exactly_if_every_side_of_every_kind_is_what_was_asked(
    came: dict[FrameKind, FrameCounts],
) -> None:
    ledger = FrameLedger(dict(EXPECTED))
    for kind, counts in came.items():
        ledger.enter(kind, counts)
    assert (not ledger.differences) == (came == {kind: all_of(kind) for kind in EXPECTED})
    assert [phrase.split(":")[0] for phrase in ledger.differences] == [
        kind.value for kind in EXPECTED if came.get(kind) != all_of(kind)
    ]
