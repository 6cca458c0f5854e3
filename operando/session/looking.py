"""Handing this process over to the monitor, which knows nothing of the session."""

import os
import sys
from pathlib import Path

from operando.session.layout import newest_run, open_run_directory


def look_at(view: str, path: Path | None, *options: str) -> None:
    """Become the monitor's process for a run; the newest one if none is named. Does not return."""
    run = open_run_directory(path or newest_run())
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "operando.monitor", view, str(run.path), *options])
