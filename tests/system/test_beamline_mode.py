"""With --beamline: simulated instruments that nobody calls simulated, in real time, with one owner each.

The simulated beamline serves hardware's protocols and knows nothing of who asks; a beamline file without its clock and
without ``rehearsal`` makes it the instruments of a real beamline. The tests of this file use it one after the other.
"""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from operando.model.beamline import load_beamline
from operando.model.cell_log import CellLogReader
from operando.model.json_lines import read_json_lines
from operando.model.process_files import read_pid_files
from simulators.ports import free_ports
from tests.support.other_client import held_current, put_at
from tests.support.processes import stops
from tests.support.standing_client import client_of

ROOT = Path(__file__).parents[2]
PROBE = ROOT / "tests" / "system" / "clients" / "probe.py"
SECONDS = ROOT / "tests" / "system" / "seconds.toml"
STANDING = ("SIM:rotation.VAL", "SIM:sample_x.VAL", "SIM:shutter:STATUS", "SIM:camera:cam1:Acquire")
STOP = "SIM:ECLAB:C0:STOP"
MISSING = {
    "rotation_stage": ("SIM:rotation", "SIM:rotation.RBV"),
    "sample_x": ("SIM:sample_x", "SIM:sample_x.RBV"),
    "shutter": ("SIM:shutter:", "SIM:shutter:STATUS"),
    "camera": ("SIM:camera:", "SIM:camera:cam1:Acquire"),
    "potentiostat": ("SIM:ECLAB:", "SIM:ECLAB:C0:EWE"),
    "temperature": ("SIM:TEMPERATURE", "SIM:TEMPERATURE"),
    "ring_current": ("SIM:RING_CURRENT", "SIM:RING_CURRENT"),
}


class Command:
    """One ``operando`` command in a process of its own."""

    def __init__(self, output: Path, *arguments: object) -> None:
        self._output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "operando.cli", *map(str, arguments)],
                stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True, cwd=ROOT,
            )  # fmt: skip

    def said(self) -> str:
        """What it printed so far, on one line."""
        return " ".join(self._output.read_text(errors="replace").split())

    def exit_code(self, timeout_s: float = 60.0) -> int:
        """Wait for its end."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout_s} s: {self.said()}") from None

    def wait(self, condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
        """Wait until something holds while this command lives."""
        deadline, pause = time.monotonic() + timeout_s, threading.Event()
        while not condition():
            assert time.monotonic() < deadline, f"waited {timeout_s} s in vain: {self.said()}"
            assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.said()}"
            pause.wait(0.05)


class Bench:
    """The simulated instruments and a beamline file that calls them real."""

    def __init__(self, folder: Path, simulated_file: Path) -> None:
        self.folder, self.simulated_file = folder, simulated_file
        text = simulated_file.read_text(encoding="utf-8").replace("rehearsal = true", "rehearsal = false")
        text = text.replace('name = "simulated"', 'name = "bench"')
        self._text = re.sub(r"\[clock\].*?\n\n", "", text, flags=re.DOTALL)
        self.file = self.changed("bench")

    def changed(self, name: str, *changes: tuple[str, str]) -> Path:
        """Write a beamline file with other texts in quotes or other ports."""
        text = self._text
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = self.folder / f"{name}.toml"
        path.write_text(text, encoding="utf-8")
        return path

    def begin(self, command: str, file: Path, name: str, *options: str) -> Command:
        """Start ``run`` or ``align`` with a beamline file, into a folder of this name."""
        return Command(
            self.folder / f"{name}.out", command, SECONDS, "--beamline", file, "--run-dir", self.folder / name, *options
        )


def probed(*files: object) -> list[str]:
    """Return why each beamline file is refused, asked by a process of its own."""
    command = [sys.executable, str(PROBE), *map(str, files)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, check=True)
    said: list[str] = json.loads(answer.stdout.splitlines()[-1])
    return said


@contextmanager
def simulated(folder: Path) -> Iterator[Path]:
    simulator = Command(folder / "simulator.out", "simulate", SECONDS, "--directory", folder / "simulation")
    try:
        simulator.wait(lambda: "READY" in simulator.said())
        yield folder / "simulation" / "beamline.toml"
    finally:
        simulator.process.terminate()
        simulator.exit_code(20)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("bench")
    with simulated(folder) as file:
        yield Bench(folder, file)


@pytest.fixture(autouse=True)
def nothing_left(bench: Bench) -> Iterator[None]:
    """End what a test that failed left running: the next ones would find the instruments taken."""
    yield
    for process in psutil.process_iter(["cmdline"]):
        command = " ".join(process.info["cmdline"] or [])
        if str(bench.folder) in command and "simulate" not in command:
            process.kill()


def test_whatever_is_missing_or_in_use_is_refused_by_name_before_anything_moves(bench: Bench) -> None:
    put_at(bench.simulated_file, *held_current(load_beamline(bench.file), -1e-6))
    # Half of the devices each, so that the one half is named and the other is not.
    halves = [dict(list(MISSING.items())[::2]), dict(list(MISSING.items())[1::2])]
    files = [
        bench.changed(f"half_{number}", *[(f'"{prefix}"', f'"X{prefix}"') for prefix, _ in half.values()])
        for number, half in enumerate(halves)
    ]
    with client_of(bench.simulated_file, *STANDING, STOP) as client:
        before = client.put()
        *missing, cycling, alignment = probed(*files, bench.file, f"imaging:{bench.file}")
        after = client.put((STOP, 1))
    for half, said in zip(halves, missing, strict=True):
        for device, (_, variable) in MISSING.items():
            assert (re.search(rf"{device}: .*X{re.escape(variable)}", said) is not None) == (device in half), said
    assert "SIM:ECLAB:C0: runs a technique already" in cycling
    assert alignment == "", "it asks nothing of the cell"
    assert {name: before[name] for name in STANDING} == {name: after[name] for name in STANDING}


def test_a_run_of_seconds_succeeds_has_its_instruments_for_itself_and_leaves_the_guard_watching(bench: Bench) -> None:
    run = bench.begin("run", bench.file, "run")
    journal = bench.folder / "run" / "documents.jsonl"
    run.wait(lambda: journal.exists() and '"tomogram"' in journal.read_text())
    (guard,) = [record.pid for record in read_pid_files(bench.folder / "run" / "processes") if record.role == "guard"]
    folder, access = bench.folder / "run", load_beamline(bench.file).channel_access
    guard_port, results_port = free_ports(2)
    other_ports = bench.changed(
        "other_ports",
        (f"guard_port = {access.guard_port}", f"guard_port = {guard_port}"),
        (f"results_port = {access.results_port}", f"results_port = {results_port}"),
    )
    second = bench.begin("run", bench.file, "second")
    others = bench.begin("run", other_ports, "others")
    assert second.exit_code() == 2
    assert f"is in use on 127.0.0.1: the guard of {folder} (process {guard}) has SIM:ECLAB:C0:" in second.said()
    assert others.exit_code() == 2
    assert f"potentiostat.prefix: the guard of {folder}" in others.said()
    assert "Traceback" not in others.said()
    assert not any((bench.folder / name).exists() for name in ("second", "others"))  # nothing was started

    assert run.exit_code() == 0, run.said()
    documents = [(name, document) for name, document in read_json_lines(journal)]
    assert set(stops(documents).values()) == {"success"}
    assert {doc["rehearsal"] for name, doc in documents if name == "start"} == {False}
    assert "REHEARSAL" not in run.said()
    assert "OCV" in run.said()
    written = [path for path in folder.rglob("*") if path.suffix in (".json", ".jsonl", ".log", ".txt", ".md")]
    assert not [path for path in written if "REHEARSAL" in path.read_text(errors="replace")]
    assert f"'kill {guard}' ends it" in run.said()

    assert psutil.pid_exists(guard)
    os.kill(guard, signal.SIGTERM)
    psutil.Process(guard).wait(20) if psutil.pid_exists(guard) else None
    reader = CellLogReader(folder / "cell.sqlite")
    times_s = [row["time_s"] for row in reader.rows("potentiostat")]
    reader.close()
    gaps_s = [later - earlier for earlier, later in itertools.pairwise(times_s)]
    assert max(gaps_s) < 2.5  # of 1 s: real time on a machine that does other things too


def test_a_killed_run_goes_on_in_its_folder_under_the_same_guard(bench: Bench) -> None:
    run = bench.begin("run", bench.file, "killed")
    folder = bench.folder / "killed"
    journal = folder / "documents.jsonl"
    run.wait(lambda: journal.exists() and '"stream_datum"' in journal.read_text())
    run.process.kill()
    run.process.wait()
    (guard,) = [record.pid for record in read_pid_files(folder / "processes") if record.role == "guard"]
    resumed = Command(bench.folder / "resumed.out", "resume", folder)
    assert resumed.exit_code(120) == 0, resumed.said()
    assert "found running and stopped: its file is open" in resumed.said()
    assert f"The guard, process {guard}, goes on watching the cell" in resumed.said()
    documents = [(name, document) for name, document in read_json_lines(journal)]
    exits = [doc["exit_status"] for name, doc in documents if name == "stop"]
    assert exits == ["fail", "fail", "success", "success"]  # what was cut off and its experiment, then both again
    outer = [doc for name, doc in documents if name == "start" and doc["kind"] == "experiment"]
    assert outer[1]["continues"] == outer[0]["uid"]
    os.kill(guard, signal.SIGTERM)
    psutil.Process(guard).wait(20) if psutil.pid_exists(guard) else None


def test_an_alignment_has_the_camera_for_itself_and_ctrl_c_closes_the_shutter_and_gives_it_back(bench: Bench) -> None:
    with client_of(bench.simulated_file, *STANDING) as client:
        alignment = bench.begin("align", bench.file, "ended", "--centre", "--frames", "50")
        alignment.wait(lambda: client.put()["SIM:camera:cam1:Acquire"] == 1)
        (said,) = probed(f"imaging:{bench.file}")
        owner = f"the alignment of {bench.folder / 'ended'} (process {alignment.process.pid}) has SIM:camera:"
        assert f"camera.prefix: {owner}" in said
        alignment.wait(lambda: client.put()["SIM:shutter:STATUS"] == 1)  # flats, or one of four shots of 5 s each
        alignment.process.send_signal(signal.SIGINT)
        assert alignment.exit_code() == 130, alignment.said()
        now = client.put()
    assert now["SIM:shutter:STATUS"] == 0
    assert now["SIM:camera:cam1:Acquire"] == 0
    assert "REHEARSAL" not in alignment.said()
    documents = [(name, document) for name, document in read_json_lines(bench.folder / "ended" / "documents.jsonl")]
    assert stops(documents)["alignment"] == "abort"
