"""How the capacity changed from cycle to cycle."""

import re

import numpy as np
from markupsafe import Markup

from operando.session.report.plot_axes import draw_level_axis, draw_upright_axis, spanning
from operando.session.report.run_story import RunStory, is_number
from operando.session.report.svg_drawing import COLOURS, Drawing

LEFT_PX, RIGHT_PX, TOP_PX, PLOT_PX, BOTTOM_PX = 70, 16, 12, 240, 54
FEWEST_CYCLES = 3  # fewer are read more easily in the table


def capacities(story: RunStory) -> dict[str, list[tuple[int, float]]]:
    """Return cycle and capacity in mAh/g by the name of the step in the experiment file, of what was repeated."""
    newest, found = story.newest, dict[str, list[tuple[int, float]]]()
    for step in story.steps:
        entry = newest.get((step.name, "capacity"))
        if entry is not None and is_number(entry.value) and entry.unit == "mAh/g":
            later = re.fullmatch(r"(.+)_cycle([0-9]+)", step.name)
            name, cycle = (later[1], int(later[2])) if later else (step.name, 1)
            found.setdefault(name, []).append((cycle, entry.value))
    return {name: points for name, points in found.items() if len(points) >= FEWEST_CYCLES}


def fade_plot(found: dict[str, list[tuple[int, float]]], *, width: int) -> Markup:
    """Draw capacity against cycle, one colour for each step."""
    drawing = Drawing(width, TOP_PX + PLOT_PX + BOTTOM_PX + 18)
    points = [point for of_step in found.values() for point in of_step]
    across = spanning([float(cycle) for cycle, _ in points], LEFT_PX, width - RIGHT_PX)
    up = spanning([0.0, *(capacity for _, capacity in points)], TOP_PX + PLOT_PX, TOP_PX)
    draw_level_axis(drawing, across, TOP_PX, TOP_PX + PLOT_PX, "cycle", num=6 if width > 450 else 4)
    draw_upright_axis(drawing, up, LEFT_PX, width - RIGHT_PX, "capacity, mAh/g")
    for index, (name, of_step) in enumerate(found.items()):
        colour = COLOURS[index % len(COLOURS)]
        x = across.pxs(np.array([float(cycle) for cycle, _ in of_step]))
        y = up.pxs(np.array([capacity for _, capacity in of_step]))
        drawing.curve(x, y, colour)
        for px, py in zip(x.tolist(), y.tolist(), strict=True):
            drawing.dot(px, py, colour, 2.5)
        left = LEFT_PX + index * (width - LEFT_PX) / len(found)
        drawing.dot(left + 4, TOP_PX + PLOT_PX + BOTTOM_PX, colour)
        drawing.text(left + 14, TOP_PX + PLOT_PX + BOTTOM_PX + 4, name)
    return drawing.svg("Capacity against cycle: " + ", ".join(found))
