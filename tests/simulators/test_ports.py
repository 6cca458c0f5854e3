"""Two beamlines on one machine are given different ports, also while nobody listens at them yet."""

import subprocess
import sys
from pathlib import Path

from simulators.ports import BLOCK, free_ports

ROOT = Path(__file__).parents[2]
OTHER = "import simulators.ports as p; p.FIRST_PORT, p.LAST_PORT = {}, {}; print(p.free_ports(7))"


def test_ports_that_were_given_are_not_given_again_to_this_process_or_another() -> None:
    given = [port for _ in range(20) for port in free_ports(7)]
    assert len(set(given)) == len(given)
    first = given[0] - 1
    # Another process has only this block to choose from.
    command = [sys.executable, "-c", OTHER.format(first, first + BLOCK)]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert refused.returncode != 0
    assert "PortError" in refused.stderr
