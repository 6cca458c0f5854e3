"""Asking a beamline whether it is all there, before a guard is started or anything moves."""

import errno
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from operando.model.beamline import Beamline, load_beamline
from operando.model.clock import SystemClock
from operando.model.instrument_lock import owner_at_port, owner_of
from operando.session.beamline_access import enter_beamline, quiet_channel_access, server_of
from operando.session.errors import RequestError

if TYPE_CHECKING:
    from devices.camera import Camera
    from devices.potentiostat import Potentiostat

CONNECT_TIMEOUT_S = 3.0


def refuse_incomplete_beamline(
    path: Path, *, sample_out_mm: float, sample_in_mm: float = 0.0, imaging_only: bool = False
) -> None:
    """Refuse a beamline of which anything does not answer or belongs to somebody else; only reads.

    Parameters
    ----------
    sample_out_mm, sample_in_mm
        Where sample_x will be sent.
    imaging_only
        Ask only for what takes pictures: no potentiostat, thermometer, load cell, and no ports of our servers.

    Raises
    ------
    RequestError
        With one sentence per device or port.
    """
    beamline = load_beamline(path)
    if beamline.rehearsal or beamline.clock is not None:
        raise RequestError(
            f"--beamline {path}: belongs to a simulated beamline (rehearsal = {str(beamline.rehearsal).lower()}"
            f"{', [clock]' if beamline.clock else ''}). Leave out --beamline to rehearse; "
            "allowed here is the file of a real beamline."
        )
    found = [] if imaging_only else [*_taken_ports(beamline), *_absent_serial_port(beamline)]
    if not found:
        places_mm = {"sample_out": sample_out_mm, "sample_in": sample_in_mm}
        found = _found_over_the_wire(path, places_mm, imaging_only=imaging_only)
    if found:
        raise RequestError("\n".join(f"{path}: {sentence}" for sentence in found))


def _taken_ports(beamline: Beamline) -> list[str]:
    access = beamline.channel_access
    found = []
    for key, port in (("guard_port", access.guard_port), ("results_port", access.results_port)):
        with socket.socket() as tcp:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tcp.bind((access.interface, port))
                tcp.listen()
            except OSError as error:
                reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be served ({error.strerror})"
                owner = owner_at_port(port)
                known = f": {owner.sentence}" if owner else ", perhaps by an earlier run ('operando status' tells)"
                found.append(
                    f"channel_access.{key} = {port}: {reason} on {access.interface}{known}. "
                    "End that one or write a free port."
                )
    return found


def _absent_serial_port(beamline: Beamline) -> list[str]:
    port = beamline.load_cell.port
    if "://" in port or Path(port).exists():
        return []
    return [f"load_cell.port = {port!r}: there is no such serial port. Plug the load cell in or correct it."]


def _found_over_the_wire(path: Path, places_mm: dict[str, float], *, imaging_only: bool) -> list[str]:
    beamline = enter_beamline(path)

    from operando.session.beamline_devices import all_devices, instruments
    from operando.session.device_connection import unconnected

    quiet_channel_access()
    clock = SystemClock()
    try:
        # What is not asked is not made either.
        others = None if imaging_only else all_devices(beamline, clock)
        plan = instruments(beamline, clock, token="") if others is None else others.plan_devices
        asked: list[object] = [plan.rotation_stage, plan.sample_x, plan.shutter, plan.camera, plan.ring_current]
        if others is not None:  # but for `cell`: the guard serves it, and that does not run yet
            asked += [others.potentiostat, others.temperature]
        missing = unconnected(asked, CONNECT_TIMEOUT_S)
        if missing:
            return list(missing.values())
        found = [*_camera_in_use(plan.camera), *_out_of_travel(plan.sample_x.limits, places_mm)]
        return found if others is None else [*_cell_in_use(others.potentiostat), *found]
    finally:
        clock.close()


def _cell_in_use(potentiostat: "Potentiostat") -> list[str]:
    """Two guards would command one cell against each other; of another machine only the instrument itself tells."""
    owner = owner_of(potentiostat.server, potentiostat.prefix)
    if owner is not None:
        return [f"potentiostat.prefix: {owner.sentence}. One process owns the cell: end that one first."]
    now = potentiostat.poll()
    if now is not None and now.state == 0:
        return []
    found = "does not answer" if now is None else "runs a technique already, and no guard of this machine watches it"
    return [
        f"potentiostat.prefix: {potentiostat.prefix} {found}. Find out who drives this cell and stop it there; "
        "'operando guard RUN' takes up a run whose guard died."
    ]


def _camera_in_use(camera: "Camera") -> list[str]:
    owner = owner_of(server_of(camera.cam.acquire.pvname), camera.prefix)
    if owner is not None:
        return [f"camera.prefix: {owner.sentence}. Wait for its end."]
    if int(camera.cam.acquiring.get(use_monitor=False)) or int(camera.hdf1.capturing.get(use_monitor=False)):
        return [f"camera.prefix: {camera.prefix} takes or writes frames already, for somebody else. Stop that first."]
    return []


def _out_of_travel(limits_mm: tuple[float, float], places_mm: dict[str, float]) -> list[str]:
    low_mm, high_mm = limits_mm
    if low_mm >= high_mm:  # the record has no limits
        return []
    return [
        f"tomogram.{key} = {place_mm:g} mm: lies outside the travel of sample_x, {low_mm:g} to {high_mm:g} mm. "
        "Choose a place within it."
        for key, place_mm in places_mm.items()
        if not low_mm <= place_mm <= high_mm
    ]
