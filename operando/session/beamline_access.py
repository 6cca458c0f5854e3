"""Preparing a process to speak with a beamline; nothing that imports ophyd or caproto may come before it."""

import logging
import os
import sys
from functools import cache
from pathlib import Path

from operando.model.beamline import Beamline, load_beamline
from operando.model.channel_access import client_environment, prepare
from operando.model.clock import Clock, RehearsalClock, SystemClock
from operando.session.errors import RequestError


def enter_beamline(path: Path) -> Beamline:
    """Read a beamline file and set this process's Channel Access addresses from it.

    Raises
    ------
    RequestError
        If ophyd was imported already with other addresses, so that these would have no effect.
    """
    beamline = load_beamline(path)
    access = beamline.channel_access
    variables = client_environment(access.addresses, os.environ, repeater_port=access.repeater_port)
    imported = "ophyd" in sys.modules or "epics" in sys.modules
    if imported and any(os.environ.get(name) != value for name, value in variables.items()):
        raise RequestError("ophyd was imported before the beamline file was read: its addresses would not count.")
    prepare(variables)
    return beamline


@cache
def quiet_channel_access() -> None:
    """Send what the Channel Access library says of lost servers to the log instead of the terminal, once a process.

    Our own devices say which process variable is gone; the library's text only hides that sentence.
    """
    import epics

    if epics.ca.libca is None:  # ophyd has loaded it; anew under threads that use it, it would end the process
        epics.ca.initialize_libca()
    epics.ca.libca.eltc(0)  # error log to the terminal: off
    log = logging.getLogger("channel_access")
    epics.ca.replace_printf_handler(lambda text: log.info("%s", text))


def server_of(pv_name: str) -> str:
    """Return host and port at which a process variable answers; it is connected already."""
    import epics

    return str(epics.get_pv(pv_name, connect=True).host)


def open_clock(beamline: Beamline, beamline_file: Path, role: str) -> Clock:
    """Return the rehearsal's clock, not yet joined, where the beamline has one, else the host's."""
    if beamline.clock is None:
        return SystemClock()
    address = beamline.clock.host, beamline.clock.port
    return RehearsalClock(address, beamline_file.parent / beamline.clock.page, role=role, join=False)
