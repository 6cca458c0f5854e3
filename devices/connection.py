"""Connecting devices: all at once, and a sentence for each process variable that did not answer."""

import time
from collections.abc import Iterable
from typing import Any

from ophyd import Signal

from devices.answers import NO_ANSWER
from devices.unsent_gets import forget_unsent_gets

POLL_S = 0.02
NAMED = 8


class DeviceConnectionError(RuntimeError):
    """Process variables that did not connect; the message is one sentence per device."""


def connect(devices: Iterable[Any], timeout_s: float) -> None:
    """Wait until every process variable of every device is connected.

    Parameters
    ----------
    devices
        ophyd devices or signals.
    timeout_s
        Real time for all of them together, in s.

    Raises
    ------
    DeviceConnectionError
        Naming the variables that did not connect, and their devices.
    """
    waiting = [(device, signal) for device in devices for signal in _signals(device)]
    deadline_s = time.monotonic() + timeout_s
    missing: dict[str, list[str]] = {}
    for device, signal in waiting:
        if _connected(signal, deadline_s):
            signal.subscribe(_forget_if_broken, event_type=signal.SUB_META, run=False)
        else:
            missing.setdefault(device.name, []).extend(_pv_names(signal))
    if missing:
        raise DeviceConnectionError(
            "\n".join(
                f"{name}: {_listed(pv_names)} did not connect within {timeout_s:g} s. "
                "Check the prefix in the beamline file and that the server runs."
                for name, pv_names in missing.items()
            )
        )


def _connected(signal: Any, deadline_s: float) -> bool:
    """Wait for one signal; a server that dies while it is asked for units may be on its way back."""
    while True:
        try:
            signal.wait_for_connection(timeout=max(deadline_s - time.monotonic(), POLL_S))
        except TimeoutError:
            return False
        except NO_ANSWER:
            if time.monotonic() >= deadline_s:
                return False
            for pv_name in _pv_names(signal):
                forget_unsent_gets(pv_name)
            time.sleep(POLL_S)
        else:
            return True


def _listed(pv_names: list[str]) -> str:
    """Return enough names to find the mistake; a camera has more than a hundred."""
    more = len(pv_names) - NAMED
    return ", ".join(pv_names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _pv_names(signal: Any) -> list[str]:
    names = {getattr(signal, "pvname", signal.name), getattr(signal, "setpoint_pvname", signal.name)}
    return sorted(names - {signal.name})


def _forget_if_broken(*, obj: Any, connected: bool = True, **_: object) -> None:
    if not connected:
        for pv_name in _pv_names(obj):
            forget_unsent_gets(pv_name)


def _signals(device: Any) -> list[Any]:
    if isinstance(device, Signal):
        return [device]
    return [walk.item for walk in device.walk_signals(include_lazy=True)]
