import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from operando.model.cell_log import CellLogReader
from operando.model.channel_access import client_environment, server_environment
from operando.model.run_directory import RunDirectory
from simulators.ports import free_ports

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
EXPERIMENT = ROOT / "experiments" / "cus_26mpa.toml"
TIMEOUT_S = 20.0
POLL_S = 0.05  # asked without a pause, guard and client would keep both cores of a small machine busy
FULL_SCALE_N = 2000.0

BEAMLINE = """
name = "fake"
[channel_access]
instruments = ["127.0.0.1:{ioc}"]
guard_port = {guard}
results_port = {results}
repeater_port = {repeater}
[rotation_stage]
prefix = "FAKE:rotation"
[sample_x]
prefix = "FAKE:x"
[shutter]
prefix = "FAKE:shutter:"
[camera]
prefix = "FAKE:camera:"
chip_columns = 100
chip_rows = 100
min_frame_period_s = 0.1
[potentiostat]
prefix = "FAKE:"
channel = 0
max_current_a = 1e-3
poll_s = 0.1
[load_cell]
port = "{link}"
full_scale_n = 2000.0
{calibration}
[temperature]
pv = "FAKE:TEMPERATURE"
[ring_current]
pv = "FAKE:RING"
[guard]
prefix = "FAKE:guard:"
[results]
prefix = "FAKE:results:"
"""
CALIBRATION = """
[load_cell.calibration]
id = "bench"
date = "2025-01-01"
counts = [0, 20000]
force_n = [0, 2000]
"""


class Process:
    """A child that prints READY; its output is kept, if it goes to no file, and it never outlives the test."""

    def __init__(self, *arguments: str, environment: dict[str, str], says_to: IO[str] | None = None) -> None:
        self.lines: list[str] = []
        self.ready = threading.Event()
        self.child = subprocess.Popen(
            [sys.executable, "-u", *arguments],
            stdout=subprocess.PIPE if says_to is None else says_to,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env=os.environ | environment | {"PYTHONPATH": str(ROOT)},
        )
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in self.child.stdout or ():
            self.lines.append(line)
            if line.startswith("READY"):
                self.ready.set()
        self.ready.set()

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def wait_ready(self) -> "Process":
        assert self.ready.wait(TIMEOUT_S), self.text
        assert self.child.poll() is None, self.text
        return self

    def wait_said(self, words: str) -> None:
        deadline_s, pause = time.monotonic() + TIMEOUT_S, threading.Event()
        while words not in self.text:
            assert time.monotonic() < deadline_s, self.text
            pause.wait(POLL_S)

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.child.poll() is None:
            self.child.send_signal(number)
            try:
                self.child.wait(TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        self._thread.join(TIMEOUT_S)
        return int(self.child.returncode)


class World:
    """One fake beamline, one run directory, one client, and guards that come and go."""

    def __init__(self, directory: Path, *, calibration: str = CALIBRATION) -> None:
        self.run = RunDirectory(directory)
        ioc, guard, results, repeater = free_ports(4)
        self.link = directory / "load_cell"
        text = EXPERIMENT.read_text().replace('between_tomograms = "1 s"', 'between_tomograms = "0.2 s"')
        text = text.replace('stale_potentiostat = "5 s"', 'delay = "0.3 s"\nstale_potentiostat = "1 s"')
        self.run.experiment.write_text(text.replace('stale_force = "30 s"', 'stale_force = "1 s"'))
        self.run.beamline.write_text(
            BEAMLINE.format(
                ioc=ioc, guard=guard, results=results, repeater=repeater, link=self.link, calibration=calibration
            )
        )
        self.run.token.write_text("secret")
        addresses = [f"127.0.0.1:{ioc}", f"127.0.0.1:{guard}"]
        self.environment = client_environment(addresses, {}, repeater_port=repeater)
        self.ioc_environment = server_environment(ioc)
        self.processes: list[Process] = []
        self.client: subprocess.Popen[str] | None = None

    def start_ioc(self) -> Process:
        return self._start(
            str(HERE / "fake_beamline.py"), str(self.link), environment=self.ioc_environment
        ).wait_ready()

    def start_guard(self, *arguments: str, says_to: IO[str] | None = None) -> Process:
        self.close_client()  # a new one connects at once, an old one searches for a lost server for some seconds
        return self._start(
            *("-m", "operando.guard.main", "--run-dir", str(self.run.path), *arguments),
            environment=self.environment,
            says_to=says_to,
        )

    def _start(self, *arguments: str, environment: dict[str, str], says_to: IO[str] | None = None) -> Process:
        process = Process(*arguments, environment=environment, says_to=says_to)
        self.processes.append(process)
        return process

    def ask(self, *request: object) -> Any:
        if self.client is None:
            self.client = subprocess.Popen(
                [sys.executable, "-u", str(HERE / "guard_client.py"), str(self.run.path), "FAKE:guard:"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                env=os.environ | self.environment | {"PYTHONPATH": str(ROOT)},
            )
        assert self.client.stdin is not None
        assert self.client.stdout is not None
        self.client.stdin.write(json.dumps(request) + "\n")
        self.client.stdin.flush()
        said = json.loads(self.client.stdout.readline())
        assert "answer" in said, said
        return said["answer"]

    def command(self, name: str, *, identity: str | None = None, token: str | None = None, **arguments: Any) -> str:
        return str(self.ask("command", name, arguments, identity, token))

    def put(self, name: str, value: float) -> None:
        assert self.ask("put", f"FAKE:{name}", value) == 1

    def wait(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline_s, pause = time.monotonic() + TIMEOUT_S, threading.Event()
        while True:
            found: dict[str, Any] = self.ask("get")
            if condition(found):
                return found
            assert time.monotonic() < deadline_s, found
            pause.wait(POLL_S)

    def wait_state(self, *states: str) -> dict[str, Any]:
        return self.wait(lambda found: found["state"] in states)

    def rows(self, table: str) -> list[dict[str, Any]]:
        log = CellLogReader(self.run.cell_log)
        try:
            return log.rows(table)
        finally:
            log.close()

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.rows("events") if event["kind"] == kind]

    def close_client(self) -> None:
        if self.client is not None:
            assert self.client.stdin is not None
            assert self.client.stdout is not None
            self.client.stdin.close()
            self.client.wait(TIMEOUT_S)
            self.client.stdout.close()
        self.client = None

    def close(self) -> None:
        self.close_client()
        for process in reversed(self.processes):
            process.end()


@contextmanager
def a_world(directory: Path, **options: str) -> Iterator[World]:
    world = World(directory, **options)
    try:
        yield world
    finally:
        world.close()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A guard that all tests of a file share; each leaves it as it was."""
    with a_world(tmp_path_factory.mktemp("run")) as made:
        made.start_ioc()
        made.start_guard().wait_ready()
        yield made


@pytest.fixture
def fresh_world(tmp_path: Path) -> Iterator[World]:
    """A fake beamline without a guard."""
    with a_world(tmp_path) as made:
        made.start_ioc()
        yield made


@pytest.fixture
def make_world() -> Iterator[Callable[..., World]]:
    """A run directory without anything that answers."""
    with ExitStack() as stack:
        yield lambda directory, **options: stack.enter_context(a_world(directory, **options))
