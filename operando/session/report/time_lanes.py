"""Above the plots over time: a band of steps, names of tomograms that do not lie over each other, numbered marks."""

import math
from dataclasses import dataclass

from operando.session.report.plot_axes import Scale
from operando.session.report.svg_drawing import BLUE, FONT_PX, GREY, INK, LIGHT, VERMILLION, Drawing, text_width

LANE_PX = 18
NARROW_STEP_PX = 20


@dataclass(frozen=True)
class Span:
    """Something that lasted: a step or a tomogram, s of the run's clock; ``well`` False is drawn as a warning."""

    name: str
    begin_s: float
    end_s: float
    well: bool = True


@dataclass(frozen=True)
class Mark:
    """Something that happened at a moment, with the number under which the page lists it."""

    time_s: float
    number: int
    words: str


def draw_steps(drawing: Drawing, time: Scale, steps: list[Span], bottom: float) -> None:
    """Draw the steps as a band at the top, their beginnings down to ``bottom``."""
    for index, step in enumerate(steps):
        x, end = time.px(max(step.begin_s, time.low)), time.px(min(step.end_s, time.high))
        if end <= x:
            continue
        drawing.box(x, 8, end - x, LANE_PX - 3, LIGHT if index % 2 else "#ececec", told=step.name)
        if end - x > NARROW_STEP_PX:  # lines of many short steps would hide the curves
            drawing.line(x, 8, x, bottom, GREY, 0.7, "2 3")
        if text_width(step.name) < end - x:
            drawing.text(x + 4, 8 + FONT_PX, step.name, colour=INK if step.well else VERMILLION)


def in_lanes(tomograms: list[Span], time: Scale) -> list[tuple[Span, int]]:
    """Give each tomogram the first lane in which its name does not lie over another's."""
    ends: list[float] = []
    placed: list[tuple[Span, int]] = []
    for tomogram in tomograms:
        if tomogram.end_s < time.low or tomogram.begin_s > time.high:
            continue
        left, right = _label_px(time, tomogram)
        lane = next((lane for lane, end in enumerate(ends) if end < left), len(ends))
        ends[lane : lane + 1] = [right + 6]
        placed.append((tomogram, lane))
    return placed


def _label_px(time: Scale, tomogram: Span) -> tuple[float, float]:
    words = text_width(tomogram.name)
    left = min(time.px(max(tomogram.begin_s, time.low)), time.high_px - words)
    return left, max(left + words, time.px(min(tomogram.end_s, time.high)))


def draw_tomograms(drawing: Drawing, time: Scale, lanes: list[tuple[Span, int]], top: float, bottom: float) -> None:
    """Draw bars from below each name down to ``bottom``."""
    for tomogram, lane in lanes:
        colour = BLUE if tomogram.well else VERMILLION
        x, end = time.px(max(tomogram.begin_s, time.low)), time.px(min(tomogram.end_s, time.high))
        label_top = top + LANE_PX * lane
        drawing.box(x, label_top + LANE_PX, max(end - x, 2.0), bottom - label_top - LANE_PX, colour, opacity=0.3)
        left, _ = _label_px(time, tomogram)
        drawing.text(left, label_top + FONT_PX + 2, tomogram.name, colour=colour, bold=True)


def draw_marks(drawing: Drawing, time: Scale, marks: list[Mark], top: float, bottom: float) -> None:
    """Draw a numbered arrow and a line for each moment; numbers that would touch are left out."""
    taken_px = -math.inf
    for mark in marks:
        if not time.low <= mark.time_s <= time.high:
            continue
        x = time.px(mark.time_s)
        drawing.line(x, top + LANE_PX, x, bottom, VERMILLION, 1.0, "4 3")
        drawing.polygon([(x - 4, top + 8), (x + 4, top + 8), (x, top + LANE_PX)], VERMILLION)
        if x - taken_px > 20:
            drawing.text(x + 6, top + FONT_PX, str(mark.number), colour=VERMILLION, bold=True)
            taken_px = x
