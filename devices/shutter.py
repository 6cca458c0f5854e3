"""The beam shutter: opened and closed by two commands, believed only by its status."""

from enum import StrEnum
from typing import Any

from ophyd import Component, Device, DeviceStatus, EpicsSignal, EpicsSignalRO

from devices.progress import ProgressWatch
from operando.model.clock import Clock

STUCK_S = 10.0  # of the clock; no shutter takes longer to move


class ShutterError(RuntimeError):
    """The shutter is not where it was asked to be."""


class ShutterState(StrEnum):
    """What the shutter does to the beam."""

    OPEN = "open"
    CLOSED = "closed"


class Shutter(Device):  # type: ignore[misc]
    """``set("open")`` or ``set("closed")``; done when the status says so. :meth:`look` asks the status at once.

    ``num_closings`` counts how often the status has become closed, whoever closed it.
    """

    open_command = Component(EpicsSignal, "OPEN_CMD", kind="omitted")
    close_command = Component(EpicsSignal, "CLOSE_CMD", kind="omitted")
    status_text = Component(EpicsSignalRO, "STATUS", string=True, kind="normal")

    def __init__(self, prefix: str, *, name: str, clock: Clock, stuck_s: float = STUCK_S, **options: Any) -> None:
        super().__init__(prefix, name=name, **options)
        self.stuck_s = stuck_s
        self._watch = ProgressWatch(clock)
        self._asked: tuple[ShutterState, DeviceStatus] | None = None
        self.num_closings = 0
        self.status_text.subscribe(self._changed, run=False)

    @property
    def state(self) -> ShutterState:
        """What the status says now; anything that is not plainly closed counts as open."""
        return _state_of(self.status_text.get(use_monitor=False))

    def set(self, state: str) -> DeviceStatus:
        """Ask for a state."""
        wanted = ShutterState(state)
        status = DeviceStatus(self)
        self._watch.restart()
        self._asked = wanted, status
        command = self.open_command if wanted is ShutterState.OPEN else self.close_command
        command.put(1)
        self.look()
        return status

    def look(self) -> None:
        """Read the status; end what was asked if it is done or if the shutter is stuck."""
        if self._asked is None or self._asked[1].done:
            return
        wanted, status = self._asked
        state = self.state
        if state is wanted:
            status.set_finished()
        elif (quiet_s := self._watch.quiet_s(state)) > self.stuck_s:
            status.set_exception(
                ShutterError(
                    f"{self.name}: was asked to be {wanted}, but {self.prefix}STATUS has said {state} for "
                    f"{quiet_s:.1f} s (limit {self.stuck_s:g} s). See whether an interlock holds it."
                )
            )

    def _changed(self, value: object = None, **_: object) -> None:
        if _state_of(value) is ShutterState.CLOSED:
            self.num_closings += 1


def _state_of(status_text: object) -> ShutterState:
    text = str(status_text).strip().lower()
    return ShutterState.CLOSED if text.startswith("close") or text in ("0", "0.0") else ShutterState.OPEN
