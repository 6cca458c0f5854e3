"""How planes lie in the cell: a quarter rose of the angles between their normals and the rotation axis."""

import math
from typing import Any

import numpy as np
from markupsafe import Markup

from operando.session.report.run_story import is_number
from operando.session.report.svg_drawing import BLUE, GREY, LIGHT, Drawing

BIN_DEG = 5
RADIUS_PX = 170
LEFT_PX, TOP_PX = 40, 24
RINGS = 3


def tilts_of(details: dict[str, Any]) -> list[float]:
    """Return the angles in degrees that the details of a quantity list as ``tilts_deg``."""
    tilts = details.get("tilts_deg")
    return [float(tilt) for tilt in tilts if is_number(tilt)] if isinstance(tilts, list) else []


def rose(tilts_deg: list[float], title: str) -> Markup:
    """Draw how many of the angles lie in each 10 degrees: 0 is up, along the rotation axis, 90 to the right."""
    counts, _ = np.histogram(np.abs(np.asarray(tilts_deg)), bins=np.arange(0, 90 + BIN_DEG, BIN_DEG))
    most = max(int(counts.max(initial=0)), 1)
    drawing = Drawing(LEFT_PX + RADIUS_PX + 50, TOP_PX + RADIUS_PX + 52)
    centre = LEFT_PX, TOP_PX + RADIUS_PX
    for index, count in enumerate(counts.tolist()):
        if count:
            radius = RADIUS_PX * math.sqrt(count / most)
            drawing.polygon([centre, *_arc(centre, radius, index * BIN_DEG, (index + 1) * BIN_DEG)], BLUE, opacity=0.75)
    for ring in range(1, RINGS + 1):
        radius = RADIUS_PX * math.sqrt(ring / RINGS)
        arc = np.array(_arc(centre, radius, 0, 90))
        drawing.curve(arc[:, 0], arc[:, 1], GREY if ring == RINGS else LIGHT, width=0.8)
    for angle in (0, 30, 60, 90):
        (x, y) = _arc(centre, RADIUS_PX + 6, angle, angle)[0]
        drawing.line(*centre, *_arc(centre, RADIUS_PX, angle, angle)[0], LIGHT)
        drawing.text(x, y + 4 if angle else y - 2, f"{angle}°", anchor="middle" if angle == 0 else "start", colour=GREY)
    drawing.text(4, TOP_PX + RADIUS_PX + 22, title, bold=True)
    words = f"{len(tilts_deg)} in all; the outer ring is {most} in {BIN_DEG}°"
    drawing.text(4, TOP_PX + RADIUS_PX + 40, words, colour=GREY)
    told = ", ".join(
        f"{index * BIN_DEG} to {(index + 1) * BIN_DEG} degrees: {count}" for index, count in enumerate(counts)
    )
    return drawing.svg(f"{title}: angle of the normal from the rotation axis. {told}")


def _arc(centre: tuple[float, float], radius: float, begin_deg: float, end_deg: float) -> list[tuple[float, float]]:
    num = max(int(abs(end_deg - begin_deg) / 2), 1)
    angles = np.radians(np.linspace(begin_deg, end_deg, num + 1))
    return [(centre[0] + radius * math.sin(a), centre[1] - radius * math.cos(a)) for a in angles.tolist()]
