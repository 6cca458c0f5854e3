"""Opening the monitor, a process of its own that knows nothing of the session."""

import os
import sys
from pathlib import Path
from typing import NoReturn

from operando.session.layout import newest_run, open_run_directory


def look_at(view: str, path: Path | None, *options: str) -> NoReturn:
    """Become a view of a run, the newest one if none is named; whoever ends this process ends the view.

    Raises
    ------
    RunDirectoryError
        If there is no such run.
    """
    run = open_run_directory(path or newest_run())
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "operando.monitor", view, str(run.path), *options])
