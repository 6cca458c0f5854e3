"""Sensors that freeze, say no number, spike, or say nothing: load cell, thermometer, readings of the potentiostat."""

import math
from typing import Any, Literal

from pydantic import model_validator

from simulators.faults.fault import End, Fault, LastingFault, Scene, in_unit_of
from simulators.load_cell import COUNTS_AT_FULL_SCALE, FULL_SCALE_N, LARGEST_COUNT

Sensor = Literal["load_cell", "thermometer", "potentiostat"]


class FrozenSensor(LastingFault):
    """Readings go on but do not change; those of the potentiostat with its time standing still, or with ``time_runs``.

    The potentiostat's server then posts nothing new, as a server that fetches the same record again and again.
    """

    kind: Literal["frozen_sensor"]
    sensor: Sensor
    time_runs: bool = False

    async def begin(self, scene: Scene) -> End:
        """Freeze it at its next reading."""
        instruments = scene.instruments
        seen: list[Any] = []

        def first(reading: Any) -> Any:
            if not seen:
                seen.append(reading)
            return seen[0]

        def first_but_time(reading: dict[str, Any]) -> dict[str, Any]:
            return {**first(reading), **({"TIME": reading["TIME"]} if self.time_runs else {})}

        if self.sensor == "load_cell":
            return instruments.load_cell.converter.put_in(first)
        if self.sensor == "thermometer":
            return instruments.sensors.thermometer.put_in(first)
        return instruments.potentiostat.readings.put_in(first_but_time)


class NotANumber(LastingFault):
    """The thermometer or the potentiostat's voltage and current say NaN; a load cell sends whole numbers only."""

    kind: Literal["not_a_number"]
    sensor: Literal["thermometer", "potentiostat"]

    async def begin(self, scene: Scene) -> End:
        """Break it."""
        instruments = scene.instruments
        if self.sensor == "thermometer":
            return instruments.sensors.thermometer.put_in(lambda readings: [math.nan for _ in readings])
        return instruments.potentiostat.readings.put_in(
            lambda readings: {**readings, "EWE": math.nan, "I": math.nan} if readings else readings
        )


class Spike(Fault):
    """One reading is wrong by ``size``, a force, temperature or voltage; the next one is right again."""

    kind: Literal["spike"]
    sensor: Sensor
    size: float

    @model_validator(mode="before")
    @classmethod
    def _size_in_unit(cls, table: Any) -> Any:
        return in_unit_of(table, "size", "sensor", {"load_cell": "N", "thermometer": "degC", "potentiostat": "V"})

    async def begin(self, scene: Scene) -> None:
        """Change the next reading."""
        instruments = scene.instruments

        def counts(reading: int) -> int:
            take_out()
            wrong = reading + round(self.size * COUNTS_AT_FULL_SCALE / FULL_SCALE_N)
            return max(-LARGEST_COUNT - 1, min(LARGEST_COUNT, wrong))

        def temperature(readings: list[float]) -> list[float]:
            take_out()
            return [reading + self.size for reading in readings]

        def voltage(readings: dict[str, Any]) -> dict[str, Any]:
            take_out()
            return {**readings, "EWE": readings["EWE"] + self.size} if readings else readings

        if self.sensor == "load_cell":
            take_out = instruments.load_cell.converter.put_in(counts)
        elif self.sensor == "thermometer":
            take_out = instruments.sensors.thermometer.put_in(temperature)
        else:
            take_out = instruments.potentiostat.readings.put_in(voltage)


class SilentSensor(LastingFault):
    """No answers: the load cell sends nothing, the thermometer's or potentiostat's server posts nothing more."""

    kind: Literal["silent_sensor"]
    sensor: Sensor

    async def begin(self, scene: Scene) -> End:
        """Silence it."""
        instruments = scene.instruments
        if self.sensor == "load_cell":
            return instruments.load_cell.sent.put_in(lambda _: b"")
        if self.sensor == "thermometer":
            return instruments.sensors.thermometer.put_in(lambda _: [])
        return instruments.potentiostat.readings.put_in(lambda _: {})
