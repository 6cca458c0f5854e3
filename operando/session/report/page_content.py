"""Everything that the page shows, section by section; a damaged part costs its section, never the page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from operando.model.experiment import Experiment
from operando.model.number_text import duration_text
from operando.model.run_directory import RunDirectory
from operando.session.report import frame_ledger, log_ledger, number_ledger
from operando.session.report.cell_traces import CellTraces, GuardEvent
from operando.session.report.course import course_plots, things_to_mark
from operando.session.report.cycling_plots import differential_plot, half_cycle_curve, voltage_plot
from operando.session.report.displacement_field import (
    DisplacementError,
    DisplacementField,
    arrow_plot,
    depth_plot,
    enlargement,
    read_displacement,
)
from operando.session.report.fade_plot import capacities, fade_plot
from operando.session.report.measured_table import Row, grouped, overview
from operando.session.report.orientation_rose import rose, tilts_of
from operando.session.report.provenance import provenance
from operando.session.report.run_story import RunStory
from operando.session.report.slice_pictures import gallery
from operando.session.report.step_table import steps_done, steps_measured
from operando.session.report.time_plot import moment
from operando.session.report.widths import HALF_WIDE_PX, both_widths

MAX_CURVES = 6
MAX_EVENTS = 400
MAX_STEPS_IN_NUMBERS = 12
ROSES = ("crack_volume", "high_attenuation_tilt")


@dataclass(frozen=True)
class Sources:
    """What was read of a run before anything is drawn."""

    run: RunDirectory
    story: RunStory
    traces: CellTraces
    experiment: Experiment | None
    rows: list[Row]
    missing: list[str]
    with_truth: bool
    written_at: str


def page_content(sources: Sources) -> dict[str, Any]:
    """Return the variables of the page's template; a section that could not be made is its reason, a text."""
    story, traces = sources.story, sources.traces
    marks = things_to_mark(story, traces.events)
    sections: Mapping[str, Callable[[], Any]] = {
        "overview": lambda: overview(story),
        "course": lambda: course_plots(story, traces, marks),
        "steps": lambda: steps_done(story, sources.experiment),
        "fade": lambda: _fade(story),
        "steps_measured": lambda: steps_measured(story),
        "cycling": lambda: _cycling(sources),
        "gallery": lambda: gallery(sources.run, story.states),
        "displacement": lambda: _displacement(sources),
        "roses": lambda: _roses(story),
        "frames": lambda: frame_ledger.frame_rows(story),
        "phases": lambda: frame_ledger.dead_time_phases(story),
        "dead_time": lambda: frame_ledger.dead_time_rows(story),
        "instruments": lambda: log_ledger.instrument_rows(traces),
        "clocks": lambda: log_ledger.clock_sentences(traces, rehearsal=story.rehearsal),
        "repairs": lambda: number_ledger.repair_rows(story),
        "flags": lambda: number_ledger.flag_rows(story),
        "provenance": lambda: provenance(sources.run, story),
    }
    content: dict[str, Any] = {"failed": {}}
    for name, make in sections.items():
        try:
            content[name] = make()
        except Exception as error:  # what lies in a damaged run is anybody's guess; the other sections are still true
            content[name], content["failed"][name] = None, f"{type(error).__name__}: {error}"
    owners = [*(state.name for state in story.states), *(step.name for step in story.steps)]
    groups, num_left_out = _told_groups(grouped(sources.rows, owners), {step.name for step in story.steps})
    events = [(moment(event.time_s), event.kind, event.text) for event in _told(traces.events)]
    return content | {
        "title": _title(sources),
        "name": sources.run.path.name,
        "reference": "" if sources.experiment is None else sources.experiment.experiment.reference,
        "operator": "" if sources.experiment is None else sources.experiment.experiment.operator,
        "rehearsal": story.rehearsal,
        "recorded": story.recorded,
        "when": _when(traces),
        "missing": sources.missing,
        "marks": marks,
        "groups": groups,
        "any_measured": any(row.measurement is not None for row in sources.rows),
        "num_groups_left_out": num_left_out,
        "sides": frame_ledger.SIDES,
        "with_truth": sources.with_truth,
        "events": events[:MAX_EVENTS],
        "num_events_left_out": max(len(events) - MAX_EVENTS, 0),
        "requests": [_request(line) for line in story.requests],
        "any_published": any(row.published for row in sources.rows),
        "written_at": sources.written_at,
    }


def _title(sources: Sources) -> str:
    if sources.experiment is not None:
        return sources.experiment.experiment.title
    return str(sources.story.outer_starts[-1].get("name")) if sources.story.outer_starts else sources.run.path.name


def _when(traces: CellTraces) -> str:
    span = traces.span_s()
    if span is None:
        return "when: not logged"
    return f"{moment(span[0])} to {moment(span[1])}, {duration_text(span[1] - span[0])} on the run's clock"


def _told(events: tuple[GuardEvent, ...]) -> list[GuardEvent]:
    return [event for event in events if event.kind not in ("sampling", "state")]


def _told_groups(groups: list[tuple[str, list[Row]]], steps: set[str]) -> tuple[list[tuple[str, list[Row]]], int]:
    """Return what is told under Numbers: of many steps only those with a published number; and how many are not."""
    if len(steps) <= MAX_STEPS_IN_NUMBERS:
        return groups, 0
    told = [(owner, rows) for owner, rows in groups if owner not in steps or any(row.comparison for row in rows)]
    return told, len(groups) - len(told)


def _request(line: dict[str, Any]) -> str:
    words = " ".join(str(line.get(key, "")) for key in ("event", "what", "argument")).replace("request_done", "done:")
    person, answer = line.get("person"), line.get("answer")
    return words.strip() + (f" ({person})" if person else "") + (f": {answer}" if answer else "")


def _cycling(sources: Sources) -> dict[str, Any]:
    samples = sources.traces.samples.get("potentiostat")
    if samples is None or sources.experiment is None:
        return {"note": "Neither voltage nor mass can be told without cell.sqlite and experiment.toml."}
    mass_mg = sources.experiment.cell.active_mass
    steps = [step for step in sources.story.steps if step.kind in ("", "constant_current")]
    ended = [(step.name, step.begin_s, step.end_s) for step in steps if step.end_s is not None]
    found = [half_cycle_curve(name, samples, begin_s, end_s, mass_mg) for name, begin_s, end_s in ended]
    curves = [curve for curve in found if curve is not None]
    if not curves:
        return {"note": "No step under current has ended."}
    stride = -(-len(curves) // MAX_CURVES)  # of pairs: a charge is drawn with its discharge
    shown = [curve for index, curve in enumerate(curves) if index // 2 % stride == 0]
    note = f"Of {len(curves)} steps under current {len(shown)} are drawn." if len(shown) < len(curves) else ""
    return {
        "note": note,
        "voltage": both_widths(lambda width: voltage_plot(shown, width=width), HALF_WIDE_PX),
        "slope": both_widths(lambda width: differential_plot(shown, width=width), HALF_WIDE_PX),
    }


def _fade(story: RunStory) -> Markup | None:
    found = capacities(story)
    return both_widths(lambda width: fade_plot(found, width=width), HALF_WIDE_PX) if found else None


def _displacement(sources: Sources) -> dict[str, Any]:
    fields: list[DisplacementField] = []
    notes: list[str] = []
    for state in sources.story.states:
        path = sources.run.volume(state.attempt) / "displacement.h5"
        if not path.is_file():
            continue
        try:
            fields.append(read_displacement(path, state.name, state.uid))
        except DisplacementError as error:
            notes.append(f"{state.name}: {error}")
    if not fields:
        return {"notes": notes, "fields": []}
    return {
        "notes": notes,
        "fields": fields,
        "depth": both_widths(lambda width: depth_plot(fields, width=width), HALF_WIDE_PX),
        "arrows": [_arrows(field, enlargement(fields)) for field in fields if field.valid.any()],
    }


def _arrows(field: DisplacementField, enlarged: float) -> dict[str, Any]:
    plot = both_widths(lambda width: arrow_plot(field, enlarged, width=width), HALF_WIDE_PX)
    return {"state": field.state, "reference": field.reference, "plot": plot}


def _roses(story: RunStory) -> list[dict[str, Any]]:
    found = []
    for (owner, name), entry in story.newest.items():
        tilts = tilts_of(entry.details) if name in ROSES else []
        if tilts:
            what = "cracks" if name == "crack_volume" else "inclusions"
            found.append({"svg": rose(tilts, f"{owner}: {what}")})
    return found
