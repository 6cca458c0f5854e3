"""Whole rehearsals as processes: started, watched through their run directory, always ended."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from operando.model.cell_log import CellLogReader
from operando.model.json_lines import read_json_lines
from operando.model.process_files import read_pid_files

SHORT = Path(__file__).parents[1] / "system" / "short.toml"


class Rehearsal:
    """One ``operando run`` in a process of its own."""

    def __init__(self, directory: Path, file: Path = SHORT, *options: str) -> None:
        self.directory = directory
        self.output = directory.with_suffix(".out")
        self.process = self._start(
            [sys.executable, "-m", "operando.cli", "run", str(file), "--run-dir", str(directory), *options]
        )

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self.output.open("wb") as output:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )

    def command(self, name: str, *arguments: str) -> "Rehearsal":
        """Begin another command on the same run; from here on it is what is waited for."""
        self.process = self._start([sys.executable, "-m", "operando.cli", name, str(self.directory), *arguments])
        return self

    def said_at_end(self, exit_code: int, timeout_s: float = 90.0) -> str:
        """Wait for the end of the command, with this exit code; return what it said, on one line."""
        found = self.exit_code(timeout_s)
        assert found == exit_code, self.said()
        return " ".join(self.said().split())

    def documents(self) -> list[tuple[str, dict[str, Any]]]:
        """Documents written so far."""
        return [(name, document) for name, document in read_json_lines(self.directory / "documents.jsonl")]

    def schedule(self) -> list[dict[str, Any]]:
        """Lines of the schedule's journal so far."""
        return read_json_lines(self.directory / "schedule.jsonl")

    def began(self, entry: str, name: str) -> bool:
        """Whether a step or tomogram was begun."""
        return any(
            line.get("event") == "intent" and line.get("entry") == entry and line.get("name") == name
            for line in self.schedule()
        )

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Rows of the guard's log so far."""
        reader = CellLogReader(self.directory / "cell.sqlite")
        try:
            return reader.rows(table)
        finally:
            reader.close()

    def pid(self, role: str) -> int | None:
        """Process id of a role, None if it does not live."""
        for record in read_pid_files(self.directory / "processes"):
            if record.role == role and record.alive:
                return record.pid
        return None

    def wait(self, condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
        """Wait until ``condition`` holds; fail with the run's output if it does not."""
        deadline = time.monotonic() + timeout_s
        pause = threading.Event()
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {timeout_s} s in vain; the run said:\n{self.said()}")
            pause.wait(0.05)

    def exit_code(self, timeout_s: float = 90.0) -> int:
        """Wait for the end of the run; return its exit code."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout_s} s:\n{self.said()}") from None

    def said(self) -> str:
        """What it printed so far."""
        return self.output.read_text(errors="replace")

    def left_running(self) -> list[str]:
        """Command lines of living processes that belong to this run."""
        found = []
        for process in psutil.process_iter(["cmdline", "status"]):
            command = " ".join(process.info["cmdline"] or [])
            if str(self.directory) in command and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(command)
        return found

    def end(self) -> None:
        """Kill everything that belongs to this run."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for process in psutil.process_iter(["cmdline"]):
            if str(self.directory) in " ".join(process.info["cmdline"] or []):
                try:
                    os.kill(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue


@contextmanager
def rehearsal(directory: Path, file: Path = SHORT, *options: str) -> Iterator[Rehearsal]:
    """Start a rehearsal and make sure that nothing of it is left."""
    run = Rehearsal(directory, file, *options)
    try:
        yield run
    finally:
        run.end()


def stops(documents: list[tuple[str, dict[str, Any]]]) -> dict[str, str]:
    """Exit status by kind of run and tomogram; a run without a stop document has status ``none``."""
    names = {
        document["uid"]: str(document.get("tomogram", document.get("kind")))
        for name, document in documents
        if name == "start"
    }
    found = dict.fromkeys(names.values(), "none")
    for name, document in documents:
        if name == "stop":
            found[names[document["run_start"]]] = document["exit_status"]
    return found


def without_identity(document: Any) -> Any:
    """Return a document without uids and wall times, for comparing two runs."""
    ignored = {"uid", "run_start", "descriptor", "stream_resource", "time", "timestamps", "outer_run", "run_directory"}
    ignored |= {"dead_time_wall_s", "dead_time_software_s", "uri", "object_keys", "versions"}
    if isinstance(document, dict):
        return {key: without_identity(value) for key, value in document.items() if key not in ignored}
    if isinstance(document, list):
        return [without_identity(value) for value in document]
    return document


def canonical(document: Any) -> str:
    """Return a document as text that is equal for equal content."""
    return json.dumps(without_identity(document), sort_keys=True)
