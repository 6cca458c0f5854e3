"""Temperature of the cell and current of the storage ring: one process variable each."""

import math
from collections import deque
from typing import Any

from caproto.server import PVGroup, pvproperty

from simulators.conductor import Conductor
from simulators.noise import keyed_normal
from simulators.tap import Tap

SAMPLE_S = 1.0

TEMPERATURE_DEGC = 25.0
TEMPERATURE_DRIFT_DEGC = 0.2  # amplitude over a day, as in an air-conditioned hutch
TEMPERATURE_NOISE_DEGC = 0.02

RING_CURRENT_MA = 300.0
TOP_UP_PERIOD_S = 90.0
LIFETIME_S = 36_000.0  # ten hours: 0.75 mA are lost between two injections
RING_CURRENT_NOISE_MA = 0.01

DAY_S = 86_400.0


class StoredCurrent(PVGroup):  # type: ignore[misc]
    """What the storage ring is filled to (mA): for whoever rehearses a lost beam, not one of the instruments."""

    stored_current = pvproperty(name="STORED_CURRENT", value=RING_CURRENT_MA, units="mA", precision=3)

    def __init__(self, *args: Any, conductor: Conductor, current_ma: float = RING_CURRENT_MA, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._conductor = conductor
        self._asked_ma = current_ma
        self._left: dict[object, float] = {}
        self._fills: deque[tuple[float, float]] = deque([(-math.inf, current_ma)], maxlen=64)

    @property
    def asked_ma(self) -> float:
        """What the ring was asked to hold, in mA; a fault changes nothing in it."""
        return self._asked_ma

    @property
    def current_ma(self) -> float:
        """What the ring holds now, in mA."""
        return self._fills[-1][1]

    def beam(self, begin_s: float, end_s: float) -> float:
        """Return the mean of what was stored between two times, relative to the filled ring."""
        stored, until_s = 0.0, end_s
        for filled_s, current_ma in reversed(self._fills):
            stored += current_ma / RING_CURRENT_MA * max(0.0, until_s - max(filled_s, begin_s))
            until_s = min(until_s, filled_s)
            if until_s <= begin_s:
                break
        return stored / (end_s - begin_s)

    def lose(self, fault: object, left: float) -> None:
        """Let a fault leave a share of the beam, until it is over; several at once leave the product."""
        self._left[fault] = left
        self._fill()

    def regain(self, fault: object) -> None:
        """Let a fault be over."""
        self._left.pop(fault, None)
        self._fill()

    def _fill(self) -> None:
        self._fills.append((self._conductor.now(), self._asked_ma * math.prod(self._left.values())))

    @stored_current.putter  # type: ignore[no-redef, untyped-decorator]
    async def stored_current(self, instance: Any, value: float) -> float:
        """Fill or dump the ring at once."""
        self._asked_ma = max(float(value), 0.0)
        self._fill()
        return self._asked_ma


class ScalarSensors(PVGroup):  # type: ignore[misc]
    """Temperature (degC) and ring current (mA), sampled every second of virtual time.

    ``thermometer`` is the tap for what the thermometer says at one moment: one value, or none.
    """

    temperature = pvproperty(name="TEMPERATURE", value=TEMPERATURE_DEGC, units="degC", precision=3, read_only=True)
    ring_current = pvproperty(name="RING_CURRENT", value=RING_CURRENT_MA, units="mA", precision=3, read_only=True)

    def __init__(self, *args: Any, conductor: Conductor, seed: int, ring: StoredCurrent, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seed = seed
        self._ring = ring
        self.thermometer: Tap[list[float]] = Tap()
        self._begin_s = conductor.now()
        self._sample = -1
        conductor.on_arrival(self._refresh)

    async def _refresh(self, time_s: float) -> None:
        sample = math.floor((time_s - self._begin_s) / SAMPLE_S)
        if sample == self._sample:
            return
        self._sample = sample
        elapsed_s = sample * SAMPLE_S
        stamp_s = self._begin_s + elapsed_s
        for reading_degc in self.thermometer([temperature_degc(elapsed_s, self._seed)]):
            await self.temperature.write(reading_degc, timestamp=stamp_s)
        stored_ma = self._ring.current_ma
        await self.ring_current.write(ring_current_ma(elapsed_s, self._seed, stored_ma=stored_ma), timestamp=stamp_s)


def temperature_degc(elapsed_s: float, seed: int) -> float:
    """Return the temperature at the cell ``elapsed_s`` after the rehearsal's beginning, in degC."""
    drift = TEMPERATURE_DRIFT_DEGC * math.sin(2 * math.pi * elapsed_s / DAY_S)
    noise = TEMPERATURE_NOISE_DEGC * keyed_normal(seed, "temperature", int(elapsed_s / SAMPLE_S))
    return TEMPERATURE_DEGC + drift + noise


def ring_current_ma(elapsed_s: float, seed: int, *, stored_ma: float = RING_CURRENT_MA) -> float:
    """Return the ring current ``elapsed_s`` after the rehearsal's beginning, in mA: decay between injections.

    ``stored_ma`` is what each injection fills the ring to.
    """
    decay = math.exp(-(elapsed_s % TOP_UP_PERIOD_S) / LIFETIME_S)
    noise = RING_CURRENT_NOISE_MA * keyed_normal(seed, "ring_current", int(elapsed_s / SAMPLE_S))
    return stored_ma * decay + noise
