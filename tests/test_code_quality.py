"""Lint, formatting, strict types and the contracts between folders are part of the test run."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
FOLDERS = ["devices", "plans", "live_analysis", "simulators", "operando", "benchmarks", "campaigns", "tests"]


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", *FOLDERS],
        ["ruff", "format", "--check", *FOLDERS],
        ["mypy"],
        ["lint-imports"],
    ],
    ids=lambda command: command[0] + ("-format" if "format" in command else ""),
)
def test_the_code_keeps_the_rules(command: list[str]) -> None:
    found = subprocess.run([str(BIN / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout[-6000:] + found.stderr[-2000:]
