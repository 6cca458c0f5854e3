"""Every plot is drawn twice, for a screen and for a phone, with text of the same size; the page shows what fits."""

from collections.abc import Callable

from markupsafe import Markup

WIDE_PX, HALF_WIDE_PX, NARROW_PX = 1180, 570, 372


def both_widths(draw: Callable[[int], Markup | None], wide_px: int) -> Markup:
    """Return what ``draw`` makes of either width in pixels; what it cannot make is left out."""
    drawn = [("wide", draw(wide_px)), ("narrow", draw(NARROW_PX))]
    return Markup("").join(
        Markup('<div class="{}">{}</div>').format(name, svg) for name, svg in drawn if svg is not None
    )
