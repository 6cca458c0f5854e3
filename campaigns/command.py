"""One command of ``operando`` as a campaign gives it: a process of its own that is never left running behind it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
LONGEST_DYING_S = 10.0  # after SIGKILL


@contextmanager
def command(output: Path, *arguments: str, ending_s: float = 0.0) -> Iterator["subprocess.Popen[bytes]"]:
    """Give a command and add its output to a file; what still runs at the end of the ``with`` block is killed.

    With ``ending_s`` it is asked to end first, and killed if it has not after so long. Guard and simulated beamline of
    a killed rehearsal end by themselves.
    """
    with output.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "operando.cli", *arguments],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C asks the campaign, not the rehearsal
        )
    try:
        yield process
    finally:
        if process.poll() is None and ending_s:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(ending_s)
        if process.poll() is None:
            process.kill()
            process.wait(LONGEST_DYING_S)
