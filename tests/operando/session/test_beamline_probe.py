"""With --beamline whatever does not answer is named and nothing starts."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from operando.model.beamline import load_beamline
from operando.session.beamline_probe import refuse_incomplete_beamline
from operando.session.errors import RequestError
from simulators.beamline_file import Ports, beamline_text
from simulators.load_cell import FULL_SCALE_N, calibration
from simulators.ports import free_ports

ROOT = Path(__file__).parents[3]
SHORT = ROOT / "tests" / "system" / "short.toml"


def beamline_file(folder: Path, *, simulated: bool = False, serial: str = "/dev/null") -> Path:
    text = beamline_text(folder, Ports(*free_ports(7)), full_scale_n=FULL_SCALE_N, calibration=calibration())
    if not simulated:
        text = re.sub(r"\[clock\].*?\n\n", "", text.replace("rehearsal = true", "rehearsal = false"), flags=re.DOTALL)
    path = folder / "beamline.toml"
    path.write_text(re.sub(r'port = ".*"', f'port = "{serial}"', text), encoding="utf-8")
    return path


def operando(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "operando.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)


def test_a_beamline_that_does_not_answer_is_an_error_naming_device_and_variable(tmp_path: Path) -> None:
    answer = operando("run", SHORT, "--beamline", beamline_file(tmp_path), "--run-dir", tmp_path / "run")
    assert answer.returncode == 2
    for device, variable in {
        "rotation_stage": "SIM:rotation.RBV",
        "shutter": "SIM:shutter:STATUS",
        "camera": "SIM:camera:cam1:Acquire",
        "potentiostat": "SIM:ECLAB:C0:EWE",
        "temperature": "SIM:TEMPERATURE",
    }.items():
        assert re.search(rf"{device}: .*{re.escape(variable)}.* did not connect", answer.stderr)
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / "run").exists()  # so neither a guard nor a simulator was started


def test_a_simulated_beamline_is_no_beamline(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="belongs to a simulated beamline"):
        refuse_incomplete_beamline(beamline_file(tmp_path, simulated=True), sample_out_mm=12.0)


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    path = beamline_file(tmp_path)
    port = load_beamline(path).channel_access.guard_port
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(RequestError, match=rf"guard_port = {port}: is in use"),
    ):
        refuse_incomplete_beamline(path, sample_out_mm=12.0)


def test_an_unplugged_load_cell_is_named(tmp_path: Path) -> None:
    path = beamline_file(tmp_path, serial="/dev/ttyNothing")
    with pytest.raises(RequestError, match=r"load_cell\.port = '/dev/ttyNothing'"):
        refuse_incomplete_beamline(path, sample_out_mm=12.0)
