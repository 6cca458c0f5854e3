import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

Client = Callable[..., dict[str, object]]


@contextlib.contextmanager
def running_beamline(directory: Path, cell_file: str = "", faults_file: str = "") -> Iterator[Path]:
    """A tiny simulated beamline in a process of its own; yields its beamline file and always ends it.

    Without a cell file its cell is a resistor.
    """
    directory.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-u", str(HERE / "tiny_beamline.py"), str(directory), cell_file, faults_file],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        for line in process.stdout:
            said.append(line)
            if line.startswith("READY"):
                break
        else:
            raise RuntimeError("The beamline ended before READY:\n" + "".join(said))
        threading.Thread(target=said.extend, args=(process.stdout,), daemon=True).start()  # a full pipe would block it
        yield Path(line.split(maxsplit=1)[1].strip())
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    assert process.returncode == 0, "".join(said)


@pytest.fixture(scope="session")
def beamline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with running_beamline(tmp_path_factory.mktemp("beamline")) as path:
        yield path


@pytest.fixture(scope="session")
def second_beamline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with running_beamline(tmp_path_factory.mktemp("second")) as path:
        yield path


@pytest.fixture(scope="module")
def beamline_with_cell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    cell_file = ROOT / "experiments" / "cus_26mpa.cell.toml"
    with running_beamline(tmp_path_factory.mktemp("cell"), str(cell_file)) as path:
        yield path


@pytest.fixture(scope="session")
def client() -> Client:
    """Runs a script of ``clients/`` in a process of its own, whose EPICS world is that of one beamline file."""

    def run(script: str, beamline_file: Path, *arguments: str) -> dict[str, object]:
        done = subprocess.run(
            [sys.executable, str(HERE / "clients" / script), str(beamline_file), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        answer = json.loads(done.stdout.splitlines()[-1])
        assert isinstance(answer, dict)
        return answer

    return run
