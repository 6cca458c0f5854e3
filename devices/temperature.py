"""The cell's temperature, read only: nothing here can change a setpoint."""

from dataclasses import dataclass

from ophyd import Component, Device, EpicsSignalRO

from devices.parallel_read import INVALID_SEVERITY, ParallelReader

ANSWER_TIMEOUT_S = 0.5


@dataclass(frozen=True)
class TemperatureReading:
    """One reading in degC with the server's stamp."""

    temperature_c: float
    time_s: float


class Temperature(Device):  # type: ignore[misc]
    """A thermometer behind one process variable."""

    readback = Component(EpicsSignalRO, "", kind="hinted")

    def __init__(self, prefix: str, *, name: str, **options: object) -> None:
        super().__init__(prefix, name=name, **options)
        self._reader = ParallelReader([prefix])

    def connect(self, timeout_s: float = 2.0) -> bool:
        """Wait (real time) for its server; return whether it answers."""
        return bool(self._reader.connected(timeout_s, needed=[self.prefix]))

    @property
    def reachable(self) -> bool:
        """Whether the server's circuit stood at the last :meth:`poll`."""
        return self._reader.all_connected([self.prefix])

    def poll(self) -> TemperatureReading | None:
        """Read it now; ``None`` when the server does not answer or says itself that the value is invalid."""
        value = self._reader.read(ANSWER_TIMEOUT_S)[self.prefix]
        if value is None or value.severity >= INVALID_SEVERITY:
            return None
        return TemperatureReading(value.value, value.time_s)
