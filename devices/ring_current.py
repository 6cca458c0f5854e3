"""The current in the storage ring, read only: whether there is a beam."""

from ophyd import Component, Device, EpicsSignalRO


class RingCurrent(Device):  # type: ignore[misc]
    """One process variable in mA."""

    readback = Component(EpicsSignalRO, "", kind="hinted")

    def current_ma(self) -> float:
        """Ask the server for the current, in mA."""
        return float(self.readback.get(use_monitor=False))
