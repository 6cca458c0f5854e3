"""Opening the monitor, a process of its own that knows nothing of the session."""

import contextlib
import subprocess
import sys
from pathlib import Path

from operando.session.layout import newest_run, open_run_directory


def look_at(view: str, path: Path | None, *options: str) -> int:
    """Open a view of a run, the newest one if none is named; return its exit code when it has been closed."""
    run = open_run_directory(path or newest_run())
    process = subprocess.Popen([sys.executable, "-m", "operando.monitor", view, str(run.path), *options])
    with contextlib.suppress(KeyboardInterrupt):  # the view gets it too and ends by itself
        return process.wait()
    return process.wait()
