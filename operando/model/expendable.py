"""Processes that step behind those that guard and acquire when the computer becomes short of something."""

import contextlib
import os
from pathlib import Path

ANALYSIS_NICENESS = 10
_OOM_SCORE = Path("/proc/self/oom_score_adj")  # Linux, see proc(5); elsewhere nobody asks
_FIRST = "1000"


def become_expendable(*, niceness: int = 0) -> None:
    """Be the first process that the kernel ends when memory runs out, and give way to others on the processor.

    Children inherit both. A cell outlives whoever measures or shows it; the kernel by itself would end the largest
    process or any other.
    """
    with contextlib.suppress(OSError):
        _OOM_SCORE.write_text(_FIRST)
    if niceness:
        os.nice(max(niceness - os.nice(0), 0))
