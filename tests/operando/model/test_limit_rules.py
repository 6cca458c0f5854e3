"""The limits of an experiment file: what is watched with few keys, what rules add, and what is refused."""

import re
from pathlib import Path

import pytest

from operando.model.experiment_file import load_experiment
from operando.model.limit_rules import LimitAction, LimitClass, LimitKind, LimitRule, Quantity
from operando.model.toml_file import FileFormatError

SHIPPED = Path(__file__).parents[3] / "experiments" / "cus_26mpa.toml"


def rules(tmp_path: Path, added: str = "", replaced: tuple[str, str] = ("", "")) -> tuple[LimitRule, ...]:
    text = SHIPPED.read_text(encoding="utf-8").replace(*replaced, 1) if replaced[0] else SHIPPED.read_text("utf-8")
    path = tmp_path / "edited.toml"
    path.write_text(text.replace("[sampling]", f"{added}\n[sampling]", 1), encoding="utf-8")
    return load_experiment(path).limits.rules


def rule(**keys: str) -> str:
    said = "\n".join(f'{key.removesuffix("_")} = "{value}"' for key, value in keys.items())
    return f"[[limits.rule]]\n{said}\n"


def test_the_usual_rules_of_a_file_without_any() -> None:
    assert [each.text for each in load_experiment(SHIPPED).limits.rules] == [
        "voltage at least 0.65 V and at most 3.1 V, else for 1.5 s: cell danger, open circuit",
        "current at least -0.0001 A and at most 0.0001 A, else for 1.5 s: cell danger, open circuit",
        "stack pressure at least 5 MPa and at most 35 MPa, else for 1.5 s: cell danger, open circuit",
        "temperature at least 10 degC and at most 45 degC, else for 1.5 s: cell danger, open circuit",
        "voltage is a number, else for 1.5 s: cell danger, open circuit",
        "current is a number, else for 1.5 s: cell danger, open circuit",
        "stack pressure is a number, else for 1.5 s: cell danger, open circuit",
        "temperature is a number, else for 1.5 s: instrument fault, warn",
        "potentiostat gives something new, else for 5 s: cell danger, open circuit",
        "load cell gives something new, else for 30 s: cell danger, open circuit",
        "thermometer gives something new, else for 120 s: instrument fault, warn",
        "voltage is not the very same number, else for 600 s: instrument fault, warn",
        "charge agrees with its second measure to 1 % over 3600 s, else for 1.5 s: instrument fault, warn",
        "current agrees with its second measure to 5 %, else for 10 s: instrument fault, warn",
    ]


def test_a_rule_is_read_in_its_units_and_with_the_delay_of_the_file(tmp_path: Path) -> None:
    found = rules(tmp_path, rule(quantity="stack_pressure", kind="rate", limit="6 MPa/min", class_="cell_danger"))
    assert found[4] == LimitRule(
        Quantity.STACK_PRESSURE,
        LimitKind.RATE,
        LimitClass.CELL_DANGER,
        LimitAction.OPEN_CIRCUIT,
        1.5,
        -0.1,
        0.1,
        60.0,
    )


def test_a_rule_takes_the_place_of_the_usual_ones_of_its_kind(tmp_path: Path) -> None:
    replaced = ('stale_force = "30 s"\n', "")
    warn = rule(quantity="load_cell", kind="stale", delay="10 s", class_="instrument_fault")
    stop = rule(quantity="load_cell", kind="stale", delay="60 s", class_="cell_danger")
    stale = [each for each in rules(tmp_path, warn + stop, replaced) if each.quantity is Quantity.LOAD_CELL]
    assert [(each.delay_s, each.action) for each in stale] == [(10.0, "warn"), (60.0, "open_circuit")]


def test_a_range_within_the_range_is_added(tmp_path: Path) -> None:
    warm = rule(
        quantity="temperature", kind="absolute", max="40 degC", class_="cell_danger", action="warn", delay="1 min"
    )
    found = [each for each in rules(tmp_path, warm) if each.quantity is Quantity.TEMPERATURE]
    assert [each.high for each in found if each.kind is LimitKind.ABSOLUTE] == [45.0, 40.0]


def test_the_rules_of_the_page_can_be_read(tmp_path: Path) -> None:
    page = (SHIPPED.parents[1] / "docs" / "safety.md").read_text(encoding="utf-8")
    (written,) = [block for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "limits.rule" in block]
    assert len(rules(tmp_path, written)) == len(load_experiment(SHIPPED).limits.rules) + 2


@pytest.mark.parametrize(
    ("added", "said"),
    [
        (rule(quantity="voltage", kind="rate", limit="5 mV", class_="cell_danger"), ["limits.rule.1", "'5 mV'", "V/s"]),
        (rule(quantity="voltage", kind="absolute", max="5", class_="cell_danger"), ["limits.rule.1", "with a unit"]),
        (rule(quantity="voltage", kind="absolute", class_="cell_danger"), ["limits.rule.1", "needs min or max"]),
        (rule(quantity="voltage", kind="rate", max="1 V/s", class_="cell_danger"), ["rate has no max: it takes limit"]),
        (rule(quantity="voltage", kind="rate", limit="0 V/s", class_="cell_danger"), ["allows nothing"]),
        (rule(quantity="load_cell", kind="rate", limit="1 N/s", class_="cell_danger"), ["there is it of voltage"]),
        (rule(quantity="load_cell", kind="disconnect", class_="cell_danger"), ["disconnect needs a delay"]),
        (rule(quantity="voltage", kind="nan", limit="1 V", class_="cell_danger"), ["nan has no limit"]),
        (
            rule(quantity="voltage", kind="frozen", delay="60 s", class_="cell_danger", action="open_circuit"),
            ["only takes"],
        ),
        (rule(quantity="voltage", kind="absolute", max="3 V", over="1 s", class_="cell_danger"), ["has no over"]),
        (rule(quantity="voltage", kind="absolute", max="3 V"), ["limits.rule.1.class", "is missing"]),
        (rule(quantity="volts", kind="absolute", max="3 V", class_="cell_danger"), ["limits.rule.1.quantity", "volts"]),
        (rule(quantity="voltage", kind="absolute", most="3 V", class_="cell_danger"), ["unknown key", "class"]),
        (rule(quantity="voltage", kind="absolute", max="3.2 V", class_="cell_danger"), ["limits.rule.1", "never acts"]),
        (
            rule(quantity="load_cell", kind="stale", delay="9 s", class_="cell_danger"),
            ["limits.stale_force", "Keep one"],
        ),
        (
            2 * rule(quantity="voltage", kind="absolute", max="3 V", class_="cell_danger"),
            ["limits.rule.2", "limits.rule.1", "Keep one"],
        ),
        (rule(quantity="load_cell", kind="disconnect", delay="31 s", class_="cell_danger"), ["never acts", "30 s"]),
        (rule(quantity="voltage", kind="nan", class_="cell_danger", action="warn"), ["nothing opens the circuit"]),
        (rule(quantity="voltage", kind="absolute", max="3 V", delay="1 h", class_="cell_danger"), ["3600 s", "600 s"]),
        (rule(quantity="voltage", kind="rate", limit="1 V/s", over="1.5 s", class_="cell_danger"), ["fewer than two"]),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_reason(tmp_path: Path, added: str, said: list[str]) -> None:
    with pytest.raises(FileFormatError) as caught:
        rules(tmp_path, added)
    for words in said:
        assert words in str(caught.value)
