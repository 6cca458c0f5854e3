"""Scales of plots: which pixel a value has, round ticks, a frame with units."""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operando.session.report.svg_drawing import GREY, LIGHT, Drawing

MARGIN = 0.05  # of the span of values, above and below them
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
HOURS = (1.0, 2.0, 3.0, 6.0, 12.0, 24.0, 48.0, 72.0, 120.0, 240.0, 480.0)


@dataclass(frozen=True)
class Scale:
    """A straight scale: ``low`` lies at pixel ``low_px``, ``high`` at ``high_px``."""

    low: float
    high: float
    low_px: float
    high_px: float

    def px(self, value: float) -> float:
        """Return where a value lies."""
        return self.low_px + (value - self.low) / (self.high - self.low) * (self.high_px - self.low_px)

    def pxs(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where values lie, same shape."""
        return np.asarray(
            self.low_px + (values - self.low) / (self.high - self.low) * (self.high_px - self.low_px), np.float64
        )

    def ticks(self, num: int, steps: Iterable[float] = ()) -> list[float]:
        """Return about ``num`` round values on the scale, of ``steps`` if one of them fits."""
        wanted = (self.high - self.low) / max(num, 1)
        step = next((step for step in steps if step >= wanted), None) or _round_step(wanted)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def spanning(values: Iterable[float], low_px: float, high_px: float, *, at_least: float = 0.0) -> Scale:
    """Return a scale that shows all finite values with a margin; ``at_least`` is the least span, in their unit."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    span = max(high - low, at_least, 1e-9 * max(abs(low), abs(high)), 1e-30)
    middle = (low + high) / 2
    half = span * (0.5 + MARGIN)
    return Scale(middle - half, middle + half, low_px, high_px)


def tick_texts(ticks: list[float]) -> list[str]:
    """Return ticks with as many decimals as their distance needs."""
    step = min((b - a for a, b in itertools.pairwise(ticks)), default=abs(ticks[0]) if ticks else 1.0)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0
    decimals += 1 if step > 0 and not math.isclose(step * 10**decimals, round(step * 10**decimals)) else 0
    return [f"{tick + 0.0:.{min(decimals, 9)}f}".replace("-", "−") for tick in ticks]


def draw_upright_axis(drawing: Drawing, scale: Scale, left: float, right: float, title: str, *, num: int = 4) -> None:
    """Draw ticks with grid lines from ``left`` to ``right``; the title with its unit reads upwards beside them."""
    ticks = scale.ticks(num)
    for tick, words in zip(ticks, tick_texts(ticks), strict=True):
        y = scale.px(tick)
        drawing.line(left, y, right, y, LIGHT)
        drawing.text(left - 6, y + 4, words, anchor="end", colour=GREY)
    drawing.text(left - 54, (scale.low_px + scale.high_px) / 2, title, anchor="middle", turned=True)


def draw_level_axis(drawing: Drawing, scale: Scale, top: float, bottom: float, title: str, *, num: int = 6) -> None:
    """Draw ticks with grid lines from ``top`` to ``bottom``; the title with its unit stands below them."""
    ticks = scale.ticks(num)
    for tick, words in zip(ticks, tick_texts(ticks), strict=True):
        x = scale.px(tick)
        drawing.line(x, top, x, bottom, LIGHT)
        drawing.text(x, bottom + 16, words, anchor="middle", colour=GREY)
    drawing.text((scale.low_px + scale.high_px) / 2, bottom + 34, title, anchor="middle")


def _round_step(wanted: float) -> float:
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(step * power for step in STEPS if step * power >= wanted * (1 - 1e-9))
