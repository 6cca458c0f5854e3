"""Freezes a server until a client takes it for gone, lets it go on, and writes to it; prints what came of it."""

import os
import signal
import sys
import threading
from typing import Any

from ophyd import EpicsSignal

from devices.write_access import repair_ophyd

TIMEOUT_S = 20.0


def main(pid: int, pv_name: str) -> None:
    repair_ophyd()
    stop = EpicsSignal(pv_name, name="stop")
    stop.wait_for_connection(timeout=TIMEOUT_S)
    changed = {True: threading.Event(), False: threading.Event()}

    def look(*, connected: bool, **_: Any) -> None:
        changed[connected].set()

    stop.subscribe(look, event_type=stop.SUB_META, run=False)
    os.kill(pid, signal.SIGSTOP)
    lost = changed[False].wait(TIMEOUT_S)
    changed[True].clear()
    os.kill(pid, signal.SIGCONT)
    back = changed[True].wait(TIMEOUT_S)
    written = threading.Event()
    stop.put(1, use_complete=True, callback=lambda **_: written.set())
    print(lost, back, written.wait(TIMEOUT_S))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
