"""Which process a campaign kills next, and when."""

from collections import Counter

from campaigns.kill_run import SHARES, planned_kill, role_that_lags

LONGEST_S = 20.0


def test_all_processes_are_killed_by_their_shares() -> None:
    killed: Counter[str] = Counter()
    for _ in range(200):
        killed[role_that_lags(killed)] += 1
    assert killed == {role: 2 * share for role, share in SHARES.items()}


def test_kills_come_at_all_times_of_a_run_and_one_resumed_run_in_five_is_hit_too() -> None:
    kills = [planned_kill(3, number, "guard", longest_s=LONGEST_S) for number in range(1, 501)]
    assert {kill.role for kill in kills} == {"guard"}
    times_s = sorted(kill.after_s for kill in kills)
    assert times_s[25] < 0.1 * LONGEST_S < 0.9 * LONGEST_S < times_s[-25]
    assert 60 < sum(kill.again is not None for kill in kills) < 140
    assert (
        kills[0] == planned_kill(3, 1, "guard", longest_s=LONGEST_S) != planned_kill(4, 1, "guard", longest_s=LONGEST_S)
    )
