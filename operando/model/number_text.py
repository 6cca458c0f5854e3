"""Numbers as people write them: a value with as many digits as its uncertainty deserves, and durations."""

import math
import sys

LEAST_UNCERTAINTY = sys.float_info.epsilon  # relative; a number is not known better than it is kept

LONGEST_S = 1e10  # three centuries; what is longer was stamped by a broken clock, or nobody knows it


def number_text(value: float, uncertainty: float | None = None) -> str:
    """Write a value with as many digits as its uncertainty deserves, as in ``(3.78 ± 0.19)e5`` or ``20.18 ± 0.07``."""
    if not math.isfinite(value):
        return "–"
    if uncertainty is None or not math.isfinite(uncertainty) or not uncertainty > LEAST_UNCERTAINTY * abs(value):
        return f"{value:.4g}"
    exponent = max(math.floor(math.log10(max(abs(value), uncertainty))), sys.float_info.min_10_exp)
    shift = 0 if -3 <= exponent < 4 else exponent
    decimals = max(1 - math.floor(math.log10(uncertainty / 10**shift)), 0)
    text = f"{value / 10**shift:.{decimals}f} ± {uncertainty / 10**shift:.{decimals}f}"
    return text if shift == 0 else f"({text})e{shift}"


def duration_text(seconds: float) -> str:
    """Write a duration, as in ``2 d 03 h``, ``4 h 05 min``, ``3 min 20 s`` or ``12 s``; a dash if nobody knows it."""
    if not abs(seconds) < LONGEST_S:
        return "–"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min {int(seconds % 60):02d} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    return f"{hours // 24} d {hours % 24:02d} h"
