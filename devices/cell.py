"""The cell as plans see it: the guard's readings, and commands that the guard verifies. Never Movable."""

import json
import threading
import time
import uuid
from collections.abc import Mapping
from typing import Any

from ophyd import Component, Device, EpicsSignal, EpicsSignalRO
from ophyd.status import DeviceStatus

RECEIVED_TIMEOUT_S = 5.0  # real time: the guard receives at once or is not there
ANSWER_TIMEOUT_S = 120.0  # real time: the guard verifies within two polls of the instrument and may retry


class CellCommandError(RuntimeError):
    """The guard did not receive a command, or refused it, or it failed; the text is the guard's reason."""


class Cell(Device):  # type: ignore[misc]
    """The guard of one run.

    Parameters
    ----------
    prefix
        Of the guard's process variables.
    token
        Secret of the run, without which the guard refuses commands.
    """

    voltage = Component(EpicsSignalRO, "VOLTAGE", kind="hinted")
    current = Component(EpicsSignalRO, "CURRENT", kind="hinted")
    charge = Component(EpicsSignalRO, "CHARGE", kind="hinted")
    pressure = Component(EpicsSignalRO, "PRESSURE", kind="hinted")
    force = Component(EpicsSignalRO, "FORCE", kind="normal")
    temperature = Component(EpicsSignalRO, "TEMPERATURE", kind="normal")
    elapsed = Component(EpicsSignalRO, "ELAPSED", kind="normal")
    technique_index = Component(EpicsSignalRO, "TECHNIQUE_INDEX", kind="normal")
    state = Component(EpicsSignalRO, "STATE", string=True, kind="normal")
    step = Component(EpicsSignalRO, "STEP", string=True, kind="normal")
    sample_time = Component(EpicsSignalRO, "SAMPLE_TIME", kind="normal")
    period = Component(EpicsSignalRO, "PERIOD", kind="normal")
    quality = Component(EpicsSignalRO, "QUALITY", string=True, kind="normal")
    potentiostat_row = Component(EpicsSignalRO, "POTENTIOSTAT_ROW", kind="normal")
    load_cell_row = Component(EpicsSignalRO, "LOAD_CELL_ROW", kind="normal")
    temperature_row = Component(EpicsSignalRO, "TEMPERATURE_ROW", kind="normal")
    trip = Component(EpicsSignalRO, "TRIP", string=True, kind="omitted")
    heartbeat = Component(EpicsSignalRO, "HEARTBEAT", kind="omitted")
    pid = Component(EpicsSignalRO, "PID", kind="omitted")
    command_text = Component(EpicsSignal, "COMMAND", string=True, kind="omitted")
    command_received = Component(EpicsSignalRO, "COMMAND_RECEIVED", string=True, kind="omitted")
    last_command = Component(EpicsSignalRO, "LAST_COMMAND", string=True, kind="omitted")

    def __init__(self, prefix: str, *, name: str, token: str, **options: Any) -> None:
        super().__init__(prefix, name=name, **options)
        self._token = token
        self._lock = threading.Lock()
        self._outstanding: dict[str, DeviceStatus] = {}
        self.last_command.subscribe(self._answered, run=False)

    def command(
        self, command: str, arguments: Mapping[str, Any] | None = None, *, command_id: str | None = None
    ) -> DeviceStatus:
        """Send a command; return when the guard has received it, with a Status that is done when it is verified.

        Nothing moves in a rehearsal's clock between this call and the receipt, so whoever waits for the Status in
        the clock cannot overtake the command. Repeating a ``command_id`` returns the guard's old answer.

        Raises
        ------
        CellCommandError
            If the guard did not show the receipt in time. The Status fails with the same error and the guard's
            reason when the command is refused or fails.
        """
        identity = command_id or uuid.uuid4().hex
        status = DeviceStatus(self, timeout=ANSWER_TIMEOUT_S)
        with self._lock:
            self._outstanding[identity] = status
        text = json.dumps(
            {"id": identity, "token": self._token, "command": command, "arguments": dict(arguments or {})}
        )
        self.command_text.put(text, use_complete=True, callback=lambda **_: None)
        self._await_receipt(identity, command)
        return status

    def check_answer(self) -> None:
        """Read the guard's last answer now and finish the Status it belongs to.

        The monitor does this by itself a moment later; call it after a wait in the clock, where the order counts.
        """
        self._answered(self.last_command.get(use_monitor=False))

    def _await_receipt(self, identity: str, command: str) -> None:
        deadline_s = time.monotonic() + RECEIVED_TIMEOUT_S
        while time.monotonic() < deadline_s:
            if _said_id(self.command_received.get(use_monitor=False)) == identity:
                return
        error = CellCommandError(
            f"{self.prefix}COMMAND: {command!r} was not received within {RECEIVED_TIMEOUT_S:g} s. "
            "Is the guard of this run alive?"
        )
        with self._lock:
            status = self._outstanding.pop(identity, None)
        if status is not None:
            status.set_exception(error)
        raise error

    def _answered(self, value: object, **_: object) -> None:
        try:
            answer = json.loads(str(value))
        except ValueError:
            return  # nothing was answered yet
        with self._lock:
            status = self._outstanding.pop(str(answer["id"]), None)
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
