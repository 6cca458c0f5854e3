"""Every device that answers is shown with its readings and units."""

import re
import subprocess
import sys
from pathlib import Path

from operando.session.processes import ChildProcess

ROOT = Path(__file__).parents[3]
SHORT = ROOT / "tests" / "system" / "short.toml"


def test_devices_shows_what_answers_with_units_and_names_what_does_not(tmp_path: Path) -> None:
    simulator = ChildProcess(
        "simulator", ["simulate", str(SHORT), "--directory", str(tmp_path)], tmp_path / "processes"
    )
    simulator.start()
    try:
        command = [sys.executable, "-m", "operando.cli", "devices", simulator.wait_ready()]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    finally:
        simulator.end()
    assert answer.returncode == 1  # the guard is not there
    assert re.search(r"cell: SIM:guard:VOLTAGE.* did not connect", answer.stdout)
    for device, unit in {
        "rotation_stage": "deg",
        "sample_x": "mm",
        "ring_current": "mA",
        "temperature": "degC",
    }.items():
        assert re.search(rf"{device} .*│ +[\d.e+-]+ │ {unit} ", answer.stdout), device
    assert re.search(r"potentiostat .*voltage .*│ V ", answer.stdout)
    assert re.search(r"cam_acquire_time .*│ s ", answer.stdout)
