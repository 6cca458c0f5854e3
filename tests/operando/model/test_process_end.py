"""A process ends with its own exit code after Python's own endings, and before those of C."""

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

HEAD = """
import atexit, ctypes, os, signal, sys, threading
from operando.model.process_end import run_as_process
def die():
    os.kill(os.getpid(), signal.SIGSEGV)
"""


def ended(program: str, stdout: Path | None = None) -> tuple[int, str, str]:
    """Run the body of a program as a process; return exit code, output and errors."""
    body = "".join(f"    {line}\n" for line in program.strip().splitlines())
    source = f"{HEAD}\ndef program():\n{body}\nrun_as_process(program)\n"
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with stdout.open("w") if stdout else nullcontext(subprocess.PIPE) as output:
        done = subprocess.run(
            [sys.executable, "-c", source], stdout=output, stderr=subprocess.PIPE, text=True, timeout=60, env=buffered
        )
    return done.returncode, done.stdout or "", done.stderr


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("return 0", 0),
        ("return None", 0),
        ("return 3", 3),
        ("sys.exit()", 0),
        ("sys.exit(2)", 2),
        ("sys.exit('a sentence')", 1),
        ("raise ValueError", 1),
        ("raise KeyboardInterrupt", 130),
    ],
)
def test_the_exit_code_is_that_of_the_program_however_it_ends(program: str, code: int) -> None:
    assert ended(program)[0] == code


def test_a_sentence_and_a_traceback_are_still_printed() -> None:
    assert ended("sys.exit('a sentence')")[2] == "a sentence\n"
    assert ended("raise ValueError('why')")[2].endswith("ValueError: why\n")


def test_what_c_would_do_at_the_end_cannot_cost_the_exit_code() -> None:
    program = """
program.die = ctypes.CFUNCTYPE(None)(die)
ctypes.CDLL(None).__cxa_atexit(program.die, None, None)
return 5
"""
    assert ended(program)[0] == 5


def test_threads_are_waited_for_and_registered_endings_run() -> None:
    program = """
threading.Thread(target=lambda: (threading.Event().wait(0.2), print('thread'))).start()
atexit.register(print, 'registered')
return 4
"""
    assert ended(program) == (4, "thread\nregistered\n", "")


def test_output_that_cannot_be_written_is_told_and_is_no_success() -> None:
    code, _, said = ended("print('lost')", stdout=Path("/dev/full"))
    assert code == 1
    assert said == "Not all of the output could be written: No space left on device. Write it elsewhere.\n"


@pytest.mark.parametrize("gone", ["sys.stdout.close()", "sys.stdout = None", "os.close(1); print('lost')"])
def test_a_terminal_that_is_gone_costs_no_exit_code(gone: str) -> None:
    assert ended(f"{gone}\nreturn 7")[0] == 7


def test_the_context_of_channel_access_is_not_destroyed_beside_threads_that_use_it() -> None:
    program = """
atexit.register(lambda: print(ca.libca is ca._LIBCA_FINALIZED))  # runs after what pyepics registers below
global ca
from epics import ca
ca.initialize_libca()
return 6
"""
    assert ended(program)[:2] == (6, "False\n")
    without = program.replace("return 6", "del sys.modules['epics.ca']; return 6")  # so that nobody finds it
    assert ended(without)[:2] == (6, "True\n")


def test_channels_are_not_given_up_beside_threads_that_ask_them() -> None:
    program = """
os.environ.update(EPICS_CA_AUTO_ADDR_LIST='NO', EPICS_CA_ADDR_LIST='127.0.0.1')
import ophyd
ophyd.cl.release_pvs = lambda *_: print('given up')
program.signal = ophyd.EpicsSignalRO('NOBODY:SERVES', name='signal')
return 6
"""
    assert ended(program)[:2] == (6, "")
    without = program.replace("return 6", "del sys.modules['ophyd']; return 6")  # so that nobody finds it
    assert ended(without)[:2] == (6, "given up\n")
