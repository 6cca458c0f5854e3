"""The cell as plans see it: the guard's readings, and commands that the guard verifies. Never Movable."""

import json
import threading
import time
import uuid
from collections.abc import Mapping
from typing import Any

from ophyd import Component, Device, EpicsSignal, EpicsSignalRO
from ophyd.status import DeviceStatus

from devices.answers import NO_ANSWER
from devices.unsent_gets import forget_unsent_gets

RECONNECT_S = 20.0  # real time: a killed guard is back within 3 s, but libca looks for lost servers every 10 s only
RECEIVED_TIMEOUT_S = 5.0  # real time: the guard receives at once or is not there
GIVEN_UP_S = 1.0  # real time for a guard that was waited for in vain before
ANSWER_TIMEOUT_S = 120.0  # real time: the guard verifies within two polls of the instrument and may retry


class CellCommandError(RuntimeError):
    """The guard did not receive a command, or refused it, or it failed; the text is the guard's reason."""


class GuardReading(EpicsSignalRO):  # type: ignore[misc]
    """A reading of the guard; while that is being restarted whoever reads it waits, in real time, but once only."""

    def get(self, **options: Any) -> Any:
        """Return the value, as ophyd does.

        Raises
        ------
        TimeoutError, ChannelAccessGetFailure, CASeverityException
            If the guard has been gone for longer than a restart takes.
        """
        if not (options.get("use_monitor") or self._auto_monitor):
            # pyepics 3.5 asks for as many elements as the last monitored change had: a text would be cut to the length
            # of the one before it. With 0 the server tells how many there are.
            options.setdefault("count", 0)
        began_s = time.monotonic()
        while True:
            try:
                found = super().get(**options)
                if isinstance(found, str) and len(found) == 1:
                    # pyepics asks for one element to learn the time; a get meanwhile is given the same answer.
                    found = super().get(**options)
            except NO_ANSWER:
                forget_unsent_gets(self.pvname)
                if self.parent.is_given_up or time.monotonic() - began_s > RECONNECT_S:
                    self.parent.is_given_up = True
                    raise
            else:
                self.parent.is_given_up = False
                return found


class Cell(Device):  # type: ignore[misc]
    """The guard of one run.

    Parameters
    ----------
    prefix
        Of the guard's process variables.
    token
        Secret of the run, without which the guard refuses commands.
    """

    voltage = Component(GuardReading, "VOLTAGE", kind="hinted")
    current = Component(GuardReading, "CURRENT", kind="hinted")
    charge = Component(GuardReading, "CHARGE", kind="hinted")
    pressure = Component(GuardReading, "PRESSURE", kind="hinted")
    force = Component(GuardReading, "FORCE", kind="normal")
    temperature = Component(GuardReading, "TEMPERATURE", kind="normal")
    elapsed = Component(GuardReading, "ELAPSED", kind="normal")
    technique_index = Component(GuardReading, "TECHNIQUE_INDEX", kind="normal")
    state = Component(GuardReading, "STATE", string=True, kind="normal")
    step = Component(GuardReading, "STEP", string=True, kind="normal")
    sample_time = Component(GuardReading, "SAMPLE_TIME", kind="normal")
    period = Component(GuardReading, "PERIOD", kind="normal")
    made_time = Component(GuardReading, "MADE_TIME", kind="normal")
    clock_uncertainty = Component(GuardReading, "CLOCK_UNCERTAINTY", kind="normal")
    clock_offset = Component(GuardReading, "CLOCK_OFFSET", kind="normal")
    clock_drift = Component(GuardReading, "CLOCK_DRIFT", kind="normal")
    clock_drift_uncertainty = Component(GuardReading, "CLOCK_DRIFT_UNCERTAINTY", kind="normal")
    clock_server_behind = Component(GuardReading, "CLOCK_SERVER_BEHIND", kind="omitted")
    quality = Component(GuardReading, "QUALITY", string=True, kind="normal")
    potentiostat_row = Component(GuardReading, "POTENTIOSTAT_ROW", kind="normal")
    load_cell_row = Component(GuardReading, "LOAD_CELL_ROW", kind="normal")
    temperature_row = Component(GuardReading, "TEMPERATURE_ROW", kind="normal")
    trip = Component(GuardReading, "TRIP", string=True, kind="omitted")
    heartbeat = Component(GuardReading, "HEARTBEAT", kind="omitted")
    pid = Component(GuardReading, "PID", kind="omitted")
    command_text = Component(EpicsSignal, "COMMAND", string=True, kind="omitted")
    command_received = Component(GuardReading, "COMMAND_RECEIVED", string=True, kind="omitted")
    last_command = Component(GuardReading, "LAST_COMMAND", string=True, kind="omitted")

    def __init__(self, prefix: str, *, name: str, token: str, **options: Any) -> None:
        super().__init__(prefix, name=name, **options)
        self._token = token
        self.is_given_up = False  # a guard that was waited for in vain is not waited for again until it answers
        self._lock = threading.Lock()
        self._outstanding: dict[str, tuple[DeviceStatus, str]] = {}
        self.last_command.subscribe(self._answered, run=False)

    def command(
        self, command: str, arguments: Mapping[str, Any] | None = None, *, command_id: str | None = None
    ) -> DeviceStatus:
        """Send a command; return when the guard has received it, with a Status that is done when it is verified.

        Nothing moves in a rehearsal's clock between this call and the receipt, so whoever waits for the Status in
        the clock cannot overtake the command. Repeating a ``command_id`` returns the guard's old answer.

        Raises
        ------
        CellCommandError, TimeoutError
            If the guard did not show the receipt in time, or has been gone for longer than a restart takes. The
            Status fails with the same error and the guard's reason when the command is refused or fails.
        """
        identity = command_id or uuid.uuid4().hex
        status = DeviceStatus(self, timeout=ANSWER_TIMEOUT_S)
        text = json.dumps(
            {"id": identity, "token": self._token, "command": command, "arguments": dict(arguments or {})}
        )
        with self._lock:
            self._outstanding[identity] = status, text
        patience_s = GIVEN_UP_S if self.is_given_up else RECONNECT_S
        began_s = time.monotonic()
        try:
            self.command_text.put(text, connection_timeout=patience_s, use_complete=True, callback=lambda **_: None)
        except NO_ANSWER:
            self.is_given_up = time.monotonic() - began_s >= patience_s  # one that was killed just now is restarted
            self._forget(identity)  # nobody may send it again but the caller
            raise
        self._await_receipt(identity, command)
        return status

    def check_answer(self) -> None:
        """Read the guard's last answer now and finish the Status it belongs to.

        The monitor does this by itself a moment later; call it after a wait in the clock, where the order counts.
        A guard that was killed after the receipt knows nothing of the command; its successor is sent it again.
        """
        self._answered(self.last_command.get(use_monitor=False))
        with self._lock:
            unanswered = {identity: text for identity, (status, text) in self._outstanding.items() if not status.done}
        if unanswered and _said_id(self.command_received.get(use_monitor=False)) is None:
            identity, text = unanswered.popitem()
            self.command_text.put(text, use_complete=True, callback=lambda **_: None)
            self._is_received(identity)

    def _is_received(self, identity: str) -> bool:
        deadline_s = time.monotonic() + RECEIVED_TIMEOUT_S
        while time.monotonic() < deadline_s:
            if _said_id(self.command_received.get(use_monitor=False)) == identity:
                return True
        return False

    def _await_receipt(self, identity: str, command: str) -> None:
        if self._is_received(identity):
            return
        error = CellCommandError(
            f"{self.prefix}COMMAND: {command!r} was not received within {RECEIVED_TIMEOUT_S:g} s. "
            "Is the guard of this run alive?"
        )
        status = self._forget(identity)
        if status is not None:
            status.set_exception(error)
        raise error

    def _forget(self, identity: str) -> DeviceStatus | None:
        with self._lock:
            return self._outstanding.pop(identity, (None, ""))[0]

    def _answered(self, value: object, **_: object) -> None:
        try:
            answer = json.loads(str(value))
        except ValueError:
            return  # nothing was answered yet
        status = self._forget(str(answer["id"]))
        if status is None or status.done:
            return
        if answer["outcome"] == "done":
            status.set_finished()
        else:
            status.set_exception(CellCommandError(f"The command was {answer['outcome']}: {answer['reason']}"))


def _said_id(text: object) -> str | None:
    try:
        return str(json.loads(str(text))["id"])
    except (ValueError, KeyError, TypeError):
        return None
