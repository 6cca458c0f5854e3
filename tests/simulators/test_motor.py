import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.motor import Motion

motions = st.builds(
    Motion,
    begin_s=st.floats(0, 100),
    start=st.floats(-50, 50),
    target=st.floats(-50, 50),
    velocity=st.floats(0.1, 20),
    acceleration_time_s=st.floats(0.01, 1),
)


def test_a_long_motion_loses_one_ramp_against_constant_velocity() -> None:
    motion = Motion(10.0, 0.0, 20.0, 2.0, 0.5)
    assert motion.end_s == pytest.approx(10 + 20 / 2 + 0.5)
    assert motion.position_at(10.5) == pytest.approx(0.5 * 2 * 0.5)
    assert motion.position_at(13.0) == pytest.approx(2 * (3 - 0.25))


@given(motions)
def test_a_motion_begins_at_its_start_and_ends_at_its_target(motion: Motion) -> None:
    assert motion.position_at(motion.begin_s - 1) == motion.start
    assert motion.position_at(motion.end_s) == motion.target


@given(motions, st.floats(0, 1), st.floats(0, 1))
def test_a_motion_never_turns_back_and_never_exceeds_its_velocity(motion: Motion, first: float, second: float) -> None:
    early_s, late_s = sorted(motion.begin_s + part * (motion.end_s - motion.begin_s) for part in (first, second))
    travelled = motion.position_at(late_s) - motion.position_at(early_s)
    sign = 1 if motion.target >= motion.start else -1
    assert -1e-9 <= sign * travelled <= motion.velocity * (late_s - early_s) + 1e-9
