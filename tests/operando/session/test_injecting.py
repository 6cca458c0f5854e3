import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from operando.model.json_lines import read_json_lines
from operando.session.errors import RequestError
from operando.session.injecting import inject, parsed
from tests.simulators.conftest import running_beamline

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def beamline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with running_beamline(tmp_path_factory.mktemp("inject")) as path:
        yield path.parent


def operando(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "operando.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)


def test_a_fault_is_injected_by_command_only_with_the_secret(beamline: Path) -> None:
    done = operando("inject", str(beamline), "beam_loss", "duration=30 s", "left=0.5")
    assert (done.returncode, done.stdout) == (0, "fault 1: accepted\n"), done.stderr
    asked, begun = read_json_lines(beamline / "faults.jsonl")
    assert asked["fault"] == {"kind": "beam_loss", "duration": 30.0, "left": 0.5}
    assert (begun["id"], begun["event"]) == (1, "begun")
    token = beamline / "faults.token"
    assert token.stat().st_mode & 0o777 == 0o600
    right = token.read_text()
    token.write_text("0" * len(right))
    try:
        refused = operando("inject", str(beamline), "stage_stop")
    finally:
        token.write_text(right)
    assert refused.returncode == 2
    assert "token is not that of this rehearsal" in refused.stderr
    assert len(read_json_lines(beamline / "faults.jsonl")) == 2


def test_a_wrong_fault_is_told_before_anybody_is_asked(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="key=value"):
        parsed("beam_loss", ["30 s"])
    with pytest.raises(RequestError, match="duration"):
        parsed("beam_loss", [])
    with pytest.raises(RequestError, match="earthquake"):
        parsed("earthquake", [])
    with pytest.raises(RequestError, match="rehearsals"):
        inject(tmp_path, parsed("stage_stop", []))
