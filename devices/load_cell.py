"""The load cell as plans see it: force and stack pressure as the guard computed them."""

from ophyd import Component, Device, EpicsSignalRO


class LoadCell(Device):  # type: ignore[misc]
    """Read only; the prefix is the guard's. Only the guard talks to the sensor."""

    force = Component(EpicsSignalRO, "FORCE", kind="normal")
    pressure = Component(EpicsSignalRO, "PRESSURE", kind="hinted")
    row = Component(EpicsSignalRO, "LOAD_CELL_ROW", kind="normal")
