"""The tables of the report for programs: comma separated, one header row with units, numbers in full."""

import csv
import io
import json
import math
from collections.abc import Iterable
from typing import Any

from operando.model.experiment import Experiment
from operando.session.report.frame_ledger import SIDES
from operando.session.report.measured_table import Row
from operando.session.report.run_story import RunStory, is_number


def measurements_csv(rows: list[Row]) -> str:
    """Return all newest values; ``time`` is on the run's clock, ``details`` is JSON."""
    header = (
        *("owner", "quantity", "value", "unit", "standard_uncertainty", "flags", "num_frames", "time_unix_s"),
        *("run_uid", "published", "published_relation", "published_id", "details_json"),
    )
    table = []
    for row in rows:
        entry, known = row.measurement, row.comparison
        if entry is None:
            continue
        table.append(
            (
                *(entry.tomogram, entry.name, _number(entry.value), entry.unit, _number(entry.uncertainty)),
                *(" ".join(entry.flags), entry.num_frames, _number(entry.time), entry.run_uid),
                *(("", "", "") if known is None else (repr(known.value), known.relation, known.id)),
                json.dumps(entry.details, default=str),
            )
        )
    return _text(header, table)


def steps_csv(story: RunStory, experiment: Experiment | None) -> str:
    """Return the steps that began with all that was measured of them; columns end in their unit."""
    names = {step.name for step in story.steps}
    units = {name: entry.unit for (owner, name), entry in story.newest.items() if owner in names}
    header = ["step", "kind", "begin_unix_s", "end_unix_s", "outcome", "reason", "end_voltage (V)"]
    header += [
        column for name, unit in units.items() for column in (f"{name} ({unit})", f"{name} uncertainty ({unit})")
    ]
    table = []
    for step in story.steps:
        row: list[object] = [
            step.name,
            step.kind,
            _number(step.begin_s),
            _number(step.end_s),
            step.outcome,
            step.reason,
        ]
        row.append(_number(step.end_voltage_v))
        for name in units:
            entry = story.newest.get((step.name, name))
            row += ["", ""] if entry is None else [_number(entry.value), _number(entry.uncertainty)]
        table.append(row)
    return _text(header, table)


def tomograms_csv(story: RunStory) -> str:
    """Return all attempts at tomograms with their counts of frames."""
    kinds = ("dark", "flat", "projection", "flat_after")
    asked = (
        "step",
        "cycle",
        "sync",
        "set_voltage_v",
        "stop_voltage_v",
        "exposure_s",
        "frame_period_s",
        "pixel_size_um",
    )
    header = ["tomogram", "attempt", "begin_unix_s", "end_unix_s", "outcome", "reason", "uid", *asked]
    header += ["energy_kev", "angle_range_deg", *(f"{side}_{kind}" for kind in kinds for side in SIDES)]
    table = []
    for tomogram in story.tomograms:
        start = {key: tomogram.start.get(key) for key in (*asked, "energy_kev", "angle_range_deg")}
        unknown = tomogram.start.get("placeholders", ())
        table.append(
            [
                *(tomogram.name, tomogram.attempt, _number(tomogram.begin_s), _number(tomogram.end_s)),
                *(tomogram.outcome, tomogram.reason, tomogram.uid),
                *("" if value is None or key in unknown else value for key, value in start.items()),
                *(tomogram.facts.get(f"{side}_{kind}", "") for kind in kinds for side in SIDES),
            ]
        )
    return _text(header, table)


def _text(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


def _number(value: float | None) -> str:
    return repr(float(value)) if value is not None and is_number(value) and math.isfinite(value) else ""
