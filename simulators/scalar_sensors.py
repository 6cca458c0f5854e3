"""Temperature of the cell and current of the storage ring: one process variable each."""

import math
from typing import Any

from caproto.server import PVGroup, pvproperty

from simulators.conductor import Conductor
from simulators.noise import keyed_normal

SAMPLE_S = 1.0

TEMPERATURE_DEGC = 25.0
TEMPERATURE_DRIFT_DEGC = 0.2  # amplitude over a day, as in an air-conditioned hutch
TEMPERATURE_NOISE_DEGC = 0.02

RING_CURRENT_MA = 300.0
TOP_UP_PERIOD_S = 90.0
LIFETIME_S = 36_000.0  # ten hours: 0.75 mA are lost between two injections
RING_CURRENT_NOISE_MA = 0.01

DAY_S = 86_400.0


class ScalarSensors(PVGroup):  # type: ignore[misc]
    """Temperature (degC) and ring current (mA), sampled every second of virtual time."""

    temperature = pvproperty(name="TEMPERATURE", value=TEMPERATURE_DEGC, units="degC", precision=3, read_only=True)
    ring_current = pvproperty(name="RING_CURRENT", value=RING_CURRENT_MA, units="mA", precision=3, read_only=True)

    def __init__(self, *args: Any, conductor: Conductor, seed: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seed = seed
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
        await self.temperature.write(temperature_degc(elapsed_s, self._seed), timestamp=stamp_s)
        await self.ring_current.write(ring_current_ma(elapsed_s, self._seed), timestamp=stamp_s)


def temperature_degc(elapsed_s: float, seed: int) -> float:
    """Return the temperature at the cell ``elapsed_s`` after the rehearsal's beginning, in degC."""
    drift = TEMPERATURE_DRIFT_DEGC * math.sin(2 * math.pi * elapsed_s / DAY_S)
    noise = TEMPERATURE_NOISE_DEGC * keyed_normal(seed, "temperature", int(elapsed_s / SAMPLE_S))
    return TEMPERATURE_DEGC + drift + noise


def ring_current_ma(elapsed_s: float, seed: int) -> float:
    """Return the ring current ``elapsed_s`` after the rehearsal's beginning, in mA: decay between injections."""
    decay = math.exp(-(elapsed_s % TOP_UP_PERIOD_S) / LIFETIME_S)
    noise = RING_CURRENT_NOISE_MA * keyed_normal(seed, "ring_current", int(elapsed_s / SAMPLE_S))
    return RING_CURRENT_MA * decay + noise
