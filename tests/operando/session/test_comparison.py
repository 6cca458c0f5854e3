"""What steps tell is compared with what really happened between the commands that began and ended them."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from operando.model.experiment import Published
from operando.model.experiment_file import load_experiment
from operando.model.measurement import Measurement
from operando.model.run_directory import RunDirectory
from operando.session.comparison import ComparedRun, comparison, comparison_tables

EXPERIMENT = load_experiment(Path(__file__).parents[3] / "experiments/cus_26mpa.toml")
STEPS = (("rest", "rest", 100.0, 200.0), ("discharge", "constant_current", 200.0, 300.0))
COMMANDS = (
    {"time_s": 99.0, "charge_mah": 0.0, "stack_pressure_mpa": 26.5, "pressure_slope_break": 296.0, "voltage_step": 900},
    {"time_s": 101.0, "charge_mah": 0.0, "stack_pressure_mpa": 26.0},
    {"time_s": 201.5, "charge_mah": 0.0, "stack_pressure_mpa": 22.0},
    {"time_s": 301.5, "charge_mah": -0.576, "stack_pressure_mpa": 20.5},
)


def measurement(step: str, name: str, value: float) -> Measurement:
    return Measurement(step, name, value, "unit", 0.1, "outer", 0.0, 0)


def test_each_quantity_of_a_step_stands_beside_its_truth(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    run.truth.parent.mkdir(parents=True)
    run.truth.write_text("".join(json.dumps(entry) + "\n" for entry in COMMANDS))
    documents = [
        ["start", {"uid": "outer", "kind": "experiment"}],
        ["descriptor", {"uid": "d", "run_start": "outer", "name": "steps"}],
    ]
    for name, kind, begin_s, end_s in STEPS:
        data = {"step": name, "step_kind": kind, "cycle": 1, "begin_s": begin_s, "end_s": end_s}
        documents.append(["event", {"descriptor": "d", "data": data}])
    run.documents.write_text("".join(json.dumps(entry) + "\n" for entry in documents))
    measured = [
        measurement("rest", "pressure_fall", 4.1),
        measurement("discharge", "capacity", 501.0),
        measurement("discharge", "pressure_change", -1.4),
        measurement("discharge", "pressure_slope_break", 290.0),
        measurement("discharge", "voltage_step", 300.0),
    ]
    rows = comparison([ComparedRun(run, EXPERIMENT, measured)])
    true = {row["name"]: row["true"] for row in rows if row["measured"] is not None and row["true"] is not None}
    assert true == {
        "pressure_fall": pytest.approx(4.0),  # published of another run
        "capacity": pytest.approx(500.0),  # 0.576 mAh of 1.152 mg
        "pressure_change": pytest.approx(-1.5),
        "pressure_slope_break": 296.0,
    }  # the voltage step would come after the end of this discharge


def test_every_published_number_has_a_row_whether_it_was_measured_or_not(tmp_path: Path) -> None:
    own = Published(id="A-12", tomogram="rest", name="pressure_fall", value=4.0, unit="MPa")
    other = Published(
        id="A-6", tomogram="D0.7V", name="crack_volume", value=5e5, unit="um3", relation="at most", elsewhere="other"
    )
    first = ComparedRun(RunDirectory(tmp_path / "first"), EXPERIMENT.model_copy(update={"published": (own, other)}), [])
    assert [(row["published_id"], row["measured"]) for row in comparison([first])] == [("A-12", None), ("A-6", None)]
    console = Console(width=120, record=True)
    console.print(*comparison_tables(comparison([first])))
    told = console.export_text()
    assert "a run of other measures it" in told
    assert told.index("A-6") < told.index("A-12")  # 6 before 12
    about = EXPERIMENT.experiment.model_copy(update={"name": "other"})
    there = other.model_copy(update={"elsewhere": None})
    found = [Measurement("D0.7V", "crack_volume", 4e5, "um3", 1e5, "outer", 0.0, 0)]
    second = ComparedRun(
        RunDirectory(tmp_path / "second"),
        EXPERIMENT.model_copy(update={"published": (there,), "experiment": about}),
        found,
    )
    rows = comparison([first, second])
    assert [(row["published_id"], row["measured"]) for row in rows] == [("A-12", None), ("A-6", 4e5)]


def test_a_run_given_twice_is_one_and_two_runs_of_one_experiment_are_told_apart(tmp_path: Path) -> None:
    own = Published(id="A-12", tomogram="rest", name="pressure_fall", value=4.0, unit="MPa")
    asked = EXPERIMENT.model_copy(update={"published": (own,)})
    one, other = (ComparedRun(RunDirectory(tmp_path / name), asked, []) for name in ("monday", "friday"))
    assert len(comparison([one, one])) == 1
    console = Console(width=120, record=True)
    console.print(*comparison_tables(comparison([one, other])))
    told = console.export_text()
    assert "monday" in told
    assert "friday" in told
