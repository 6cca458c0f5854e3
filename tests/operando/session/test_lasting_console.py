import os
import subprocess
import sys
from pathlib import Path

CHILD = """
import pathlib, sys
from operando.session.lasting_console import LastingConsole

console = LastingConsole()
for number in range(20_000):  # more than a pipe holds
    console.print(number)
pathlib.Path(sys.argv[1]).touch()
"""


def test_work_goes_on_when_nobody_reads_what_is_told(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path / "done")], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    child.stdout.close()
    assert child.wait(60) == 0
    assert (tmp_path / "done").exists()


def test_work_goes_on_when_the_terminal_is_lost_and_no_signal_was_heard(tmp_path: Path) -> None:
    keyboard, terminal = os.openpty()
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path / "done")], stdout=terminal)
    os.close(terminal)
    os.read(keyboard, 10)
    os.close(keyboard)
    assert child.wait(60) == 0
    assert (tmp_path / "done").exists()
