"""Asking a beamline whether it is all there, before a guard is started or anything moves."""

import errno
import socket
from pathlib import Path

from operando.model.beamline import Beamline, load_beamline
from operando.model.clock import SystemClock
from operando.session.beamline_access import enter_beamline, quiet_channel_access
from operando.session.errors import RequestError

CONNECT_TIMEOUT_S = 3.0


def refuse_incomplete_beamline(path: Path, *, sample_out_mm: float) -> None:
    """Refuse a beamline of which anything does not answer, or whose ports for our servers are taken; only reads.

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
    found = [*_taken_ports(path, beamline), *_absent_serial_port(path, beamline)]
    if found:
        raise RequestError("\n".join(found))
    found = _absent_devices(path, sample_out_mm)
    if found:
        raise RequestError("\n".join(found))


def _taken_ports(path: Path, beamline: Beamline) -> list[str]:
    access = beamline.channel_access
    if access.guard_port == access.results_port:
        return [
            f"{path}: channel_access.results_port = {access.results_port}: is also the guard_port. Give it another one."
        ]
    found = []
    for key, port in (("guard_port", access.guard_port), ("results_port", access.results_port)):
        with socket.socket() as tcp:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tcp.bind((access.interface, port))
                tcp.listen()
            except OSError as error:
                reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be served ({error.strerror})"
                found.append(
                    f"{path}: channel_access.{key} = {port}: {reason} on {access.interface}, perhaps by the guard of "
                    "an earlier run ('operando status' tells). End that one or write a free port."
                )
    return found


def _absent_serial_port(path: Path, beamline: Beamline) -> list[str]:
    port = beamline.load_cell.port
    if "://" in port or Path(port).exists():
        return []
    return [f"{path}: load_cell.port = {port!r}: there is no such serial port. Plug the load cell in or correct it."]


def _absent_devices(path: Path, sample_out_mm: float) -> list[str]:
    beamline = enter_beamline(path)

    from operando.session.beamline_devices import all_devices
    from operando.session.device_connection import unconnected

    quiet_channel_access()
    clock = SystemClock()
    try:
        devices = all_devices(beamline, clock)
        cell = devices.plan_devices.cell  # the guard serves it, and that does not run yet
        missing = unconnected([device for device in devices.all if device is not cell], CONNECT_TIMEOUT_S)
        if missing:
            return [f"{path}: {sentence}" for sentence in missing.values()]
        low_mm, high_mm = devices.plan_devices.sample_x.limits
        if low_mm < high_mm and not low_mm <= sample_out_mm <= high_mm:
            return [
                f"tomogram.sample_out = {sample_out_mm:g} mm: lies outside the travel of sample_x, "
                f"{low_mm:g} to {high_mm:g} mm. Choose a place within it."
            ]
    finally:
        clock.close()
    return []
