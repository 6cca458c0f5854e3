"""What was done, on one time axis: cell and pressure against time, with steps, tomograms and events."""

import datetime
import itertools
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from operando.session.report.cell_traces import CellTraces, Gap, Samples
from operando.session.report.decimation import peaks_kept
from operando.session.report.plot_axes import HOURS, Scale, draw_upright_axis, spanning, tick_texts
from operando.session.report.svg_drawing import (
    BLUE,
    GREEN,
    GREY,
    LIGHT,
    ORANGE,
    PURPLE,
    VERMILLION,
    Drawing,
    text_width,
)
from operando.session.report.time_lanes import LANE_PX, Mark, Span, draw_marks, draw_steps, draw_tomograms, in_lanes
from operando.session.report.widths import NARROW_PX

LEFT_PX, RIGHT_PX, PANEL_PX, SPACE_PX = 70, 14, 120, 14
UNITS_S = ((3600.0, "h"), (60.0, "min"), (1.0, "s"))
LEAST_UNITS = 3.0  # a shorter time is told in the next smaller unit
LONGEST_DATE_PX = 80
ROUND_HOURS_S = 6e4  # a longer time has ticks that divide days


@dataclass(frozen=True)
class Panel:
    """One quantity of the guard's log: ``factor`` turns the log's unit into the one shown."""

    table: str
    column: str
    title: str
    factor: float
    at_least: float
    colour: str


PANELS = (
    Panel("potentiostat", "voltage_v", "voltage, V", 1.0, 0.01, BLUE),
    Panel("potentiostat", "current_a", "current, µA", 1e6, 1.0, VERMILLION),
    Panel("load_cell", "stack_pressure_mpa", "pressure, MPa", 1.0, 0.2, GREEN),
    Panel("temperature", "temperature_c", "temp., °C", 1.0, 2.0, PURPLE),
)


def time_plot(
    traces: CellTraces,
    begin_s: float,
    end_s: float,
    *,
    width: int,
    origin_s: float,
    steps: list[Span],
    tomograms: list[Span],
    marks: list[Mark],
    told: str,
) -> Markup:
    """Draw everything between two times of the run's clock; ``origin_s`` is hour 0 of the axis."""
    time = Scale(begin_s, end_s, LEFT_PX, width - RIGHT_PX)
    placed = in_lanes(tomograms, time)
    panels = [panel for panel in PANELS if panel.table in traces.samples]
    num_lanes = max((lane for _, lane in placed), default=-1) + 1
    top = 8 + LANE_PX * (1 + num_lanes + bool(marks)) + 6
    bottom = top + len(panels) * (PANEL_PX + SPACE_PX) - SPACE_PX
    drawing = Drawing(width, bottom + 60)
    _draw_time_axis(drawing, time, origin_s, top, bottom)
    draw_steps(drawing, time, steps, bottom)
    draw_tomograms(drawing, time, placed, 8 + LANE_PX, bottom)
    draw_marks(drawing, time, marks, 8 + LANE_PX * (1 + num_lanes), bottom)
    for index, panel in enumerate(panels):
        panel_top = top + index * (PANEL_PX + SPACE_PX)
        _draw_panel(drawing, time, panel, traces.samples[panel.table], panel_top)
    return drawing.svg(told)


def _draw_panel(drawing: Drawing, time: Scale, panel: Panel, samples: Samples, top: float) -> None:
    values = samples.values[panel.column] * panel.factor
    seen = (samples.time_s >= time.low) & (samples.time_s <= time.high) & np.isfinite(values) & samples.good
    shown = values[seen]
    ends = (float(shown.min()), float(shown.max())) if shown.size else ()
    scale = spanning(ends, top + PANEL_PX, top, at_least=panel.at_least)
    draw_upright_axis(drawing, scale, time.low_px, time.high_px, panel.title)
    gaps = [gap for gap in samples.gaps if gap.end_s > time.low and gap.begin_s < time.high]
    for gap in gaps:
        x = time.px(max(gap.begin_s, time.low))
        drawing.box(x, top, max(time.px(min(gap.end_s, time.high)) - x, 1), PANEL_PX, ORANGE, opacity=0.25, told="gap")
    if not shown.size:
        drawing.text(
            (time.low_px + time.high_px) / 2,
            top + PANEL_PX / 2,
            "no samples in this time",
            anchor="middle",
            colour=GREY,
        )
    num_bins = int(time.high_px - time.low_px)
    for part in _between(samples.time_s[seen], gaps):
        times, kept = peaks_kept(samples.time_s[seen][part], shown[part], num_bins)
        drawing.curve(time.pxs(times), scale.pxs(kept), panel.colour)
    drawing.line(time.low_px, top + PANEL_PX, time.high_px, top + PANEL_PX, GREY)


def _between(times_s: np.ndarray[tuple[int], np.dtype[np.float64]], gaps: list[Gap]) -> list[slice]:
    """Return the stretches of samples that no gap interrupts."""
    edges = [0, *(int(np.searchsorted(times_s, gap.end_s)) for gap in gaps), times_s.size]
    return [slice(a, b) for a, b in itertools.pairwise(edges) if b - a > 1]


def _draw_time_axis(drawing: Drawing, time: Scale, origin_s: float, top: float, bottom: float) -> None:
    span_s = time.high - time.low
    unit_s, unit = next(((length, name) for length, name in UNITS_S if span_s > LEAST_UNITS * length), UNITS_S[-1])
    shown = Scale((time.low - origin_s) / unit_s, (time.high - origin_s) / unit_s, time.low_px, time.high_px)
    dated = drawing.width > NARROW_PX
    num = int((time.high_px - time.low_px) / (100 if dated else 50))
    ticks = shown.ticks(num, HOURS if unit == "h" and span_s > ROUND_HOURS_S else ())
    for tick, words in zip(ticks, tick_texts(ticks), strict=True):
        x = shown.px(tick)
        drawing.line(x, top, x, bottom, LIGHT)
        if x + text_width(words) / 2 < drawing.width:
            drawing.text(x, bottom + 16, words, anchor="middle", colour=GREY)
        if dated and x + LONGEST_DATE_PX / 2 < drawing.width:
            form = "%d %b %H:%M" if unit == "h" else "%H:%M:%S"
            drawing.text(x, bottom + 31, moment(origin_s + tick * unit_s, form), anchor="middle", colour=GREY)
    title = f"{unit} since the beginning, on the run's clock" + ("; second line: UTC" if dated else "")
    drawing.text((time.low_px + time.high_px) / 2, bottom + (50 if dated else 34), title, anchor="middle")


def moment(time_s: float, form: str = "%Y-%m-%d %H:%M:%S UTC") -> str:
    """Write a time in s since the Unix epoch as date and time, UTC."""
    try:
        return datetime.datetime.fromtimestamp(time_s, datetime.UTC).strftime(form)
    except (OverflowError, OSError, ValueError):
        return "unknown"
