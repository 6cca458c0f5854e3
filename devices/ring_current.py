"""The current in the storage ring, read only: whether there is a beam, and whether there was one all the time."""

import math

from ophyd import Component, Device, EpicsSignalRO


class RingCurrent(Device):  # type: ignore[misc]
    """One process variable in mA. What it shows between two looks is heard too, as far as its server posts it."""

    readback = Component(EpicsSignalRO, "", kind="hinted", auto_monitor=True)

    def __init__(self, prefix: str, *, name: str, **options: object) -> None:
        super().__init__(prefix, name=name, **options)
        self._lowest_ma, self._heard_ma = math.inf, math.nan
        self.readback.subscribe(self._heard, run=False)

    def current_ma(self) -> float:
        """Ask the server for the current, in mA."""
        return float(self.readback.get(use_monitor=False))

    @property
    def heard_ma(self) -> float:
        """What the server posted last, in mA, without asking it; NaN before anything was heard."""
        return self._heard_ma

    def lowest_ma(self) -> float:
        """Return the lowest current since this was asked last, in mA, the present one among them.

        No number counts as none at all.
        """
        lowest_ma, self._lowest_ma = self._lowest_ma, math.inf
        return min(lowest_ma, _known(self.current_ma()))

    def _heard(self, value: object = None, **_: object) -> None:
        self._heard_ma = float(str(value))
        self._lowest_ma = min(self._lowest_ma, _known(self._heard_ma))


def _known(current_ma: float) -> float:
    return 0.0 if math.isnan(current_ma) else current_ma
