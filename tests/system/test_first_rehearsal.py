"""The commands of the tutorial, in its order, with a small experiment in the place of the published one."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from operando.monitor.reading.run_processes import ROLES

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "first-rehearsal.md"
SMALL = Path(__file__).with_name("short.toml")
OPERANDO = [sys.executable, "-m", "operando.cli"]
TIMEOUT_S = 240.0
SET_UP = ("bash scripts/setup.sh", "source .venv/bin/activate")  # the tests themselves run after these


class Terminals:
    """Runs the lines of each section; what keeps on showing, and the run itself, go on beside the next ones."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_CONFIG_HOME": str(folder / "settings")}
        self.lasting: dict[str, subprocess.Popen[bytes]] = {}

    def type(self, line: str) -> str:
        words = shlex.split(line)
        assert words[0] == "operando"
        command = [*OPERANDO, *words[1:]]
        if words[1] == "run" or (words[1] in ("monitor", "watch") and "--headless" not in words):
            output = (self._folder / f"{words[1]}.out").open("wb")
            self.lasting[words[1]] = subprocess.Popen(
                command, cwd=self._folder, env=self._environment, stdout=output, stderr=output, start_new_session=True
            )
            return ""
        done = subprocess.run(
            command, cwd=self._folder, env=self._environment, capture_output=True, text=True, timeout=TIMEOUT_S
        )
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
        return done.stdout

    def close(self) -> None:
        for process in self.lasting.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(60.0)


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Terminals]:
    experiments = tmp_path / "experiments"
    experiments.mkdir()
    small = SMALL.read_text().replace("../../experiments/", "")
    (experiments / "cus_26mpa.toml").write_text(small)
    cell = "cus_26mpa.cell.toml"
    (experiments / cell).write_bytes((ROOT / "experiments" / cell).read_bytes())
    opened = Terminals(tmp_path)
    yield opened
    opened.close()


def sections() -> list[list[str]]:
    text = TUTORIAL.read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [[line for line in block.splitlines() if line not in SET_UP] for block in blocks]


def wait_until_it_runs(folder: Path) -> None:
    give_up_s = monotonic() + TIMEOUT_S
    while not ((folder / "schedule.jsonl").exists() and '"intent"' in (folder / "schedule.jsonl").read_text()):
        assert monotonic() < give_up_s
        sleep(0.05)


def test_every_command_of_the_tutorial_does_what_it_says(terminals: Terminals, tmp_path: Path) -> None:
    look_before, start, look, hand, outcome = sections()
    run = tmp_path / "runs" / "first"
    assert any("guard watches" in terminals.type(line) for line in look_before)
    for line in start:
        terminals.type(line)
    wait_until_it_runs(run)
    for line in (*look, *hand):
        terminals.type(line)
    assert terminals.lasting["run"].wait(TIMEOUT_S) == 0, (tmp_path / "run.out").read_text()
    shown = [terminals.type(line) for line in outcome]
    assert all("extra" in text for text in shown[:1])
    assert (run / "report" / "index.html").is_file()
    assert (run / "monitor.png").is_file()
    assert terminals.lasting["monitor"].poll() is None, (tmp_path / "monitor.out").read_text()
    assert terminals.lasting["watch"].poll() is None, (tmp_path / "watch.out").read_text()
    assert not [role for role in ROLES if (run / "processes" / f"{role}.pid").exists()]
