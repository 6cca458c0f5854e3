"""What a campaign of reactions promises, and the experiment that it rehearses."""

from dataclasses import replace
from pathlib import Path

from campaigns.reaction_run import MeasuredReaction, experiment_without_delay
from campaigns.reactions import holds, reactions_table
from operando.model.experiment_file import load_experiment
from operando.model.limit_rules import LimitKind

QUICK = MeasuredReaction(1, 1, 1, 2.0, 0.001, 0.010, 1.0, 1.0, 1)


def test_the_experiment_acts_on_the_first_reading(tmp_path: Path) -> None:
    experiment = load_experiment(experiment_without_delay(tmp_path))
    absolute = [rule for rule in experiment.limits.rules if rule.kind is LimitKind.ABSOLUTE]
    assert {rule.delay_s for rule in absolute} == {0.0}


def test_one_late_stop_in_two_hundred_is_allowed_and_five_are_not() -> None:
    late = replace(QUICK, taken_after_s=0.2)
    assert holds([QUICK] * 199 + [late])
    assert not holds([QUICK] * 195 + [late] * 5)


def test_an_open_circuit_that_is_seen_after_more_than_two_polls_is_one_too_many() -> None:
    assert not holds([QUICK] * 199 + [replace(QUICK, verified_after_clock_s=2.1)])


def test_the_table_says_the_worst() -> None:
    table = reactions_table([QUICK, replace(QUICK, taken_after_s=0.2)])
    assert list(table.columns[3].cells)[1] == "200.0 ms"
