"""What the steps of the schedule were and what they gave: one row for each that began."""

from dataclasses import dataclass

from operando.model.experiment import Experiment
from operando.model.number_text import duration_text, number_text
from operando.model.schedule import ConstantCurrent, ConstantVoltage, Rest, step_name
from operando.session.report.run_story import RunStory, StepStory
from operando.session.report.time_plot import moment
from operando.session.report.words import printed, quantity_text, unit_text

COLUMNS = (
    "capacity",
    "coulombic_efficiency",
    "pressure_fall",
    "pressure_change",
    "pressure_change_stage1",
    "pressure_change_stage2",
    "largest_pressure_fall",
    "voltage_step",
    "pressure_slope_break",
    "slope_break_offset",
)


@dataclass(frozen=True)
class StepTable:
    """Headings with units, and rows of texts as long."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def steps_done(story: RunStory, experiment: Experiment | None) -> StepTable:
    """Return what was asked in every step that began, and how it ended."""
    asked = {} if experiment is None else {step_name(step.name, cycle): step for cycle, step in experiment.steps}
    rows = [
        (
            step.name,
            printed(_asked(asked.get(step.name), experiment)),
            moment(step.begin_s).removesuffix(" UTC"),
            "goes on" if step.end_s is None else duration_text(max(step.end_s - step.begin_s, 0.0)),
            "–" if step.end_voltage_v is None else printed(f"{step.end_voltage_v:.4f}"),
            _outcome(step),
        )
        for step in story.steps
    ]
    return StepTable(("step", "asked", "began, UTC", "lasted", "voltage at the end, V", "outcome"), tuple(rows))


def steps_measured(story: RunStory) -> StepTable:
    """Return what was measured of the steps, those of which something was."""
    newest = story.newest
    measured = [step for step in story.steps if any((step.name, name) in newest for name in COLUMNS)]
    used = [name for name in COLUMNS if any((step.name, name) in newest for step in measured)]
    units = {name: entry.unit for (_, name), entry in newest.items()}
    rows = []
    for step in measured:
        entries = [newest.get((step.name, name)) for name in used]
        texts = ("–" if entry is None else printed(number_text(entry.value, entry.uncertainty)) for entry in entries)
        rows.append((step.name, *texts))
    return StepTable(
        ("step", *(f"{quantity_text(name)}, {unit_text(units[name])}" for name in used)),
        tuple(rows),
    )


def _outcome(step: StepStory) -> str:
    return f"{step.outcome}: {step.reason}" if step.reason else step.outcome


def _asked(step: Rest | ConstantCurrent | ConstantVoltage | None, experiment: Experiment | None) -> str:
    if isinstance(step, Rest):
        return f"open circuit for {duration_text(step.duration)}"
    if isinstance(step, ConstantCurrent) and experiment is not None:
        return f"{step.current} ({1e6 * experiment.current_a(step):.2f} µA) to {step.until_voltage:g} V"
    if isinstance(step, ConstantVoltage):
        return f"{step.voltage:g} V for {duration_text(step.duration)}"
    return "–"
