"""How a process ends: with its own exit code, whatever C libraries would still do.

While Python takes the interpreter down, threads of Channel Access go on calling back, and after it come the destructors
of libca, HDF5 and Qt. Now and then a process died there of signal 11, after all was done and said, and its exit code
was lost. So the process ends as soon as Python has joined its threads and run what was registered with `atexit`.
"""

import atexit
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn


def run_as_process(program: Callable[[], int | None]) -> NoReturn:
    """Run a program, then end this process with the code that it returns (None: 0) or raises in a `SystemExit`.

    Everything that is written to files must be closed by the program: nothing of C runs at this end, as after a kill.
    """
    end = _End()
    atexit.register(end.leave)  # what is registered first runs last
    try:
        end.code = program() or 0
    except BaseException as error:
        end.code = _exit_code(error)
        raise
    finally:
        _leave_channel_access_alone()
    sys.exit(end.code)


@dataclass
class _End:
    code: int = 0

    def leave(self) -> NoReturn:
        try:
            self._flush()
        finally:  # whatever a stream that is gone, or a person, throws in
            os._exit(self.code)

    def _flush(self) -> None:
        try:
            sys.stdout.flush()
        except OSError as error:
            self.code = self.code or 1
            sys.stderr.write(f"Not all of the output could be written: {error.strerror}. Write it elsewhere.\n")
        sys.stderr.flush()


def _exit_code(error: BaseException) -> int:
    if isinstance(error, SystemExit):
        if error.code is None or isinstance(error.code, int):
            return error.code or 0
        return 1  # a sentence, which Python prints
    return 128 + signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1


def _leave_channel_access_alone() -> None:
    """Keep pyepics and ophyd from giving up what threads still use; servers see a closed connection instead.

    pyepics would destroy its context, and ophyd the channels of all signals, which threads of its own still ask.
    """
    if channel_access := sys.modules.get("epics.ca"):
        atexit.unregister(channel_access.finalize_libca)
    if ophyd := sys.modules.get("ophyd"):
        ophyd.cl.release_pvs = _give_up_nothing


def _give_up_nothing(*_: object) -> None:
    pass
