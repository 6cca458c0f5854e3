"""Another Channel Access client that is connected already and acts the moment it is told to."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.processes import Rehearsal

PUTS = Path(__file__).parents[1] / "system" / "clients" / "puts.py"


class StandingClient:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def put(self, *pairs: tuple[str, Any]) -> dict[str, Any]:
        """Put values, in order; return what all process variables were last seen to be."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(pairs) + "\n")
        self._process.stdin.flush()
        seen: dict[str, Any] = json.loads(self._process.stdout.readline())
        return seen


@contextmanager
def standing_client(run: Rehearsal, *names: str) -> Iterator[StandingClient]:
    """Connect a process of its own to some process variables of a run's instruments."""
    file = run.directory / "beamline.toml"
    run.wait(file.exists)
    with client_of(file, *names) as client:
        yield client


@contextmanager
def client_of(file: Path, *names: str) -> Iterator[StandingClient]:
    """Connect a process of its own to some process variables of the instruments of a beamline file."""
    command = [sys.executable, str(PUTS), str(file), *names]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield StandingClient(process)
    finally:
        process.kill()
        process.wait()
