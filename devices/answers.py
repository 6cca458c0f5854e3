"""Puts that are answered: several at once, and a short sequence of them beside the RunEngine's loop."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from epics.ca import CASeverityException, ChannelAccessGetFailure
from ophyd import DeviceStatus
from ophyd.status import SubscriptionStatus
from ophyd.utils import DisconnectedError, ReadOnlyError

ANSWER_S = 10.0  # real time; a server that has not answered a put for so long is gone


class NoAnswerError(RuntimeError):
    """An instrument's server did not answer."""


# What a read or a put raises while a server is gone; each library has an error of its own.
NO_ANSWER = (
    NoAnswerError,
    ConnectionError,
    TimeoutError,
    DisconnectedError,
    ReadOnlyError,
    ChannelAccessGetFailure,
    CASeverityException,
)


def put_all(settings: Sequence[tuple[Any, object]], *, answer_s: float = ANSWER_S) -> None:
    """Put a value to each signal, all requests outstanding at once; return when the servers have answered all.

    Raises
    ------
    NoAnswerError
        If one is not answered within ``answer_s`` of real time, naming it.
    """
    pending: list[tuple[Any, object, threading.Event]] = []
    for signal, value in settings:
        answered = threading.Event()

        def done(*_: object, answered: threading.Event = answered, **__: object) -> None:
            answered.set()

        signal.put(value, use_complete=True, callback=done)
        pending.append((signal, value, answered))
    deadline_s = time.monotonic() + answer_s
    for signal, value, answered in pending:
        if not answered.wait(max(deadline_s - time.monotonic(), 0.0)):
            raise NoAnswerError(
                f"{signal.name}: {value!r} was put to {signal.setpoint_pvname}, but its server did not answer within "
                f"{answer_s:g} s. See whether the server of that process variable runs."
            )


def reaches(signal: Any, value: object, *, answer_s: float = ANSWER_S) -> None:
    """Return when ``signal`` reads ``value``.

    Raises
    ------
    NoAnswerError
        If it does not within ``answer_s`` of real time.
    """
    status = SubscriptionStatus(signal, lambda *, value=None, wanted=value, **_: value == wanted, run=True)
    try:
        status.wait(answer_s)
    except TimeoutError as error:
        raise NoAnswerError(
            f"{signal.name} should read {value!r} and reads {signal.get()!r} after {answer_s:g} s. "
            f"See what the server of {signal.pvname} says."
        ) from error


def in_background(device: Any, work: Callable[[], None]) -> DeviceStatus:
    """Do ``work`` on a thread of its own; the status is done when it returned, or failed with what it raised."""
    status = DeviceStatus(device)

    def run() -> None:
        try:
            work()
        except Exception as error:
            status.set_exception(error)
        else:
            status.set_finished()

    threading.Thread(target=run, name=f"{device.name}-settings", daemon=True).start()
    return status


def finished(device: Any) -> DeviceStatus:
    """Return a status that is done."""
    status = DeviceStatus(device)
    status.set_finished()
    return status
