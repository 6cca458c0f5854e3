"""Lines, texts and shapes as one SVG element that stands in a page: real text, no fonts of its own, no references."""

import math
from collections.abc import Iterable

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

INK, GREY, LIGHT = "#1a1a1a", "#595959", "#d9d9d9"
# Okabe and Ito, Color Universal Design (2008): told apart with every kind of colour blindness.
BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY = "#0072b2", "#d55e00", "#009e73", "#a6518a", "#b57900", "#56b4e9"
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
FONT_PX = 12


class Drawing:
    """Collects shapes; lengths are pixels from the top left corner."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._parts: list[Markup] = []

    def line(
        self, x0: float, y0: float, x1: float, y1: float, colour: str = INK, width: float = 1.0, dash: str = ""
    ) -> None:
        """Draw a straight line."""
        dashes = Markup(' stroke-dasharray="{}"').format(dash) if dash else Markup("")
        self._parts.append(
            Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}" stroke-width="{}"{}/>').format(
                _px(x0), _px(y0), _px(x1), _px(y1), colour, width, dashes
            )
        )

    def curve(
        self, x: NDArray[np.float64], y: NDArray[np.float64], colour: str, *, width: float = 1.4, dash: str = ""
    ) -> None:
        """Draw a line through points, shape (point,); points that continue a level stretch are left out."""
        x, y = np.round(x, 1), np.round(y, 1)
        if x.size > 2:
            level = (y[1:-1] == y[:-2]) & (y[1:-1] == y[2:])
            kept = np.concatenate([[True], ~level, [True]])
            x, y = x[kept], y[kept]
        path = " ".join(f"{_px(a)},{_px(b)}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
        dashes = Markup(' stroke-dasharray="{}"').format(dash) if dash else Markup("")
        self._parts.append(
            Markup(
                '<polyline points="{}" fill="none" stroke="{}" stroke-width="{}" stroke-linejoin="round"{}/>'
            ).format(path, colour, width, dashes)
        )

    def polygon(self, points: Iterable[tuple[float, float]], colour: str, *, opacity: float = 1.0) -> None:
        """Fill the inside of points."""
        path = " ".join(f"{_px(x)},{_px(y)}" for x, y in points)
        self._parts.append(Markup('<polygon points="{}" fill="{}" fill-opacity="{}"/>').format(path, colour, opacity))

    def box(
        self, x: float, y: float, width: float, height: float, colour: str, *, opacity: float = 1.0, told: str = ""
    ) -> None:
        """Fill a rectangle; ``told`` is shown where the mouse rests on it."""
        title = Markup("<title>{}</title>").format(told) if told else Markup("")
        self._parts.append(
            Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="{}" fill-opacity="{}">{}</rect>').format(
                _px(x), _px(y), _px(max(width, 0.0)), _px(max(height, 0.0)), colour, opacity, title
            )
        )

    def dot(self, x: float, y: float, colour: str, radius: float = 3.5) -> None:
        """Draw a filled circle."""
        self._parts.append(Markup('<circle cx="{}" cy="{}" r="{}" fill="{}"/>').format(_px(x), _px(y), radius, colour))

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        anchor: str = "start",
        colour: str = INK,
        bold: bool = False,
        turned: bool = False,
    ) -> None:
        """Write words with their baseline at a point; ``turned`` reads upwards."""
        style = Markup(' font-weight="600"') if bold else Markup("")
        turn = Markup(' transform="rotate(-90 {} {})"').format(_px(x), _px(y)) if turned else Markup("")
        self._parts.append(
            Markup('<text x="{}" y="{}" text-anchor="{}" fill="{}"{}{}>{}</text>').format(
                _px(x), _px(y), anchor, colour, style, turn, words
            )
        )

    def svg(self, told: str) -> Markup:
        """Return the element; ``told`` says in words what it shows."""
        return Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" '
            'aria-label="{told}" font-size="{font}">{parts}</svg>'
        ).format(w=_px(self.width), h=_px(self.height), told=told, font=FONT_PX, parts=Markup("").join(self._parts))


def text_width(words: str) -> float:
    """Return about how many pixels words take: a browser's own font is not known."""
    return 0.64 * FONT_PX * len(words)


def _px(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".") if math.isfinite(value) else "0"
