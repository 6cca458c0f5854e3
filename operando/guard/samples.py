"""One sample: each instrument read once, force and pressure computed, and since when an instrument is silent."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from time import perf_counter

from devices.force_calibration import ForceCalibration
from devices.lorenz import LorenzPort, Reading
from devices.potentiostat import ANSWER_TIMEOUT_S, Potentiostat
from devices.potentiostat_reading import Snapshot
from devices.quality import Quality, worst
from devices.temperature import Temperature, TemperatureReading
from operando.guard.limit_reading import CellReading
from operando.guard.pressure import stack_pressure_mpa
from operando.model.clock import Clock
from operando.model.limit_rules import Quantity

LONGEST_STANDSTILL_POLLS = 2.0  # the server shows new values once a poll, whenever that falls between two samples
_MOST_QUESTIONS = 5  # of a server that is connected and silent, for one sample


@dataclass(frozen=True)
class Sample:
    """What all instruments said at one time of the run's clock; NaN where an instrument said nothing."""

    time_s: float
    potentiostat: Snapshot | None
    load_cell: Reading
    temperature: TemperatureReading | None
    force_n: float
    pressure_mpa: float
    potentiostat_quality: Quality
    load_cell_quality: Quality
    temperature_quality: Quality
    any_silent: bool

    @property
    def quality(self) -> Quality:
        """The worst of all instruments."""
        return worst((self.potentiostat_quality, self.load_cell_quality, self.temperature_quality))


class Silence:
    """Since when an instrument has given nothing new.

    An instrument that was not asked cannot be called silent: a missing answer counts from the first question that
    got none, a counter that stands still from the sample that saw it first. Times are the clock's steady ones.
    """

    def __init__(self) -> None:
        self._since_s: float | None = None

    def age_s(self, steady_s: float, *, answered: bool) -> float:
        """Tell whether the instrument gave something new at ``steady_s``; return for how long it has not, in s."""
        if answered:
            self._since_s = None
            return 0.0
        if self._since_s is None:
            self._since_s = steady_s
        return steady_s - self._since_s


class Sampler:
    """Reads the three instruments and keeps what staleness needs from one sample to the next.

    Parameters
    ----------
    area_mm2
        Cross-section of the bore.
    poll_s
        How often the potentiostat's server reads its instrument.
    """

    def __init__(
        self,
        potentiostat: Potentiostat,
        load_cell: LorenzPort,
        temperature: Temperature,
        calibration: ForceCalibration,
        area_mm2: float,
        clock: Clock,
        *,
        poll_s: float,
    ) -> None:
        self._potentiostat = potentiostat
        self._load_cell = load_cell
        self._temperature = temperature
        self._calibration = calibration
        self._area_mm2 = area_mm2
        self._clock = clock
        self._poll_s = poll_s
        self._elapsed: tuple[float, float] | None = None  # instrument's elapsed time, and when it was first seen
        self._silence, self._absence = (
            {name: Silence() for name in ("potentiostat", "load cell", "temperature")} for _ in range(2)
        )

    def read(self, judge: Callable[[CellReading], None]) -> Sample:
        """Read each instrument once; ``judge`` is told of each as soon as it has answered, or has not.

        A potentiostat's answer must not wait for a load cell that is silent.
        """
        time_s, steady_s = self._clock.now(), self._clock.steady()
        snapshot = self._poll_potentiostat(steady_s)
        arrived_s = perf_counter()
        potentiostat_silent_s = self._potentiostat_silence_s(steady_s, snapshot)
        judge(
            CellReading(
                steady_s,
                arrived_s,
                {
                    Quantity.VOLTAGE: None if snapshot is None else snapshot.voltage_v,
                    Quantity.CURRENT: None if snapshot is None else snapshot.current_a,
                },
                {Quantity.POTENTIOSTAT: potentiostat_silent_s},
                {Quantity.POTENTIOSTAT: self._gone_s(steady_s, "potentiostat", there=self._potentiostat.reachable)},
                snapshot=snapshot,
            )
        )
        temperature, temperature_silent_s = self._read_temperature(steady_s, judge)
        reading = self._load_cell.read_raw()
        arrived_s = perf_counter()
        answered = reading.quality is Quality.OK
        force_silent_s = self._silence["load cell"].age_s(steady_s, answered=answered)
        over_range = answered and self._calibration.is_over_range(reading.counts)
        force_n = self._calibration.force_n(reading.counts)
        pressure_mpa = stack_pressure_mpa(force_n, self._area_mm2)
        gone_s = self._gone_s(steady_s, "load cell", there=reading.quality is not Quality.DISCONNECTED)
        judge(
            CellReading(
                steady_s,
                arrived_s,
                {Quantity.STACK_PRESSURE: pressure_mpa if answered else None},
                {Quantity.LOAD_CELL: force_silent_s},
                {Quantity.LOAD_CELL: gone_s},
                over_range=over_range,
            )
        )
        return Sample(
            time_s=time_s,
            potentiostat=snapshot,
            load_cell=reading,
            temperature=temperature,
            force_n=force_n,
            pressure_mpa=pressure_mpa,
            potentiostat_quality=_potentiostat_quality(
                snapshot, potentiostat_silent_s, reachable=self._potentiostat.reachable
            ),
            load_cell_quality=Quality.OVER_RANGE if over_range else reading.quality,
            temperature_quality=_temperature_quality(temperature),
            any_silent=max(potentiostat_silent_s, temperature_silent_s, force_silent_s) > 0,
        )

    def _read_temperature(
        self, steady_s: float, judge: Callable[[CellReading], None]
    ) -> tuple[TemperatureReading | None, float]:
        temperature = self._temperature.poll()
        silent_s = self._silence["temperature"].age_s(steady_s, answered=temperature is not None)
        judge(
            CellReading(
                steady_s,
                perf_counter(),
                {Quantity.TEMPERATURE: None if temperature is None else temperature.temperature_c},
                {Quantity.THERMOMETER: silent_s},
                {Quantity.THERMOMETER: self._gone_s(steady_s, "temperature", there=self._temperature.reachable)},
            )
        )
        return temperature, silent_s

    def _gone_s(self, steady_s: float, instrument: str, *, there: bool) -> float:
        return self._absence[instrument].age_s(steady_s, answered=there)

    def _poll_potentiostat(self, steady_s: float) -> Snapshot | None:
        # A crowded machine may hold up a rehearsal's living server, and the run's clock with it: ask again.
        for _ in range(_MOST_QUESTIONS):
            snapshot = self._potentiostat.poll()
            held_up = self._potentiostat.reachable and self._clock.steady() - steady_s < ANSWER_TIMEOUT_S
            if snapshot is not None or not held_up:
                break
        return snapshot

    def _potentiostat_silence_s(self, steady_s: float, snapshot: Snapshot | None) -> float:
        if snapshot is None:
            return self._silence["potentiostat"].age_s(steady_s, answered=False)
        elapsed_s = snapshot.elapsed_s
        if isfinite(elapsed_s) and (self._elapsed is None or elapsed_s != self._elapsed[0]):
            self._elapsed = elapsed_s, steady_s
            return self._silence["potentiostat"].age_s(steady_s, answered=True)
        if self._elapsed is None:
            return self._silence["potentiostat"].age_s(steady_s, answered=False)
        # The instrument's own clock shows the same as when it was seen first, or no time: it stands still since then.
        still_s = steady_s - self._elapsed[1]
        return still_s if still_s > LONGEST_STANDSTILL_POLLS * self._poll_s else 0.0


def _potentiostat_quality(snapshot: Snapshot | None, silent_s: float, *, reachable: bool) -> Quality:
    if snapshot is None:
        return Quality.STALE if reachable else Quality.DISCONNECTED
    if not (isfinite(snapshot.voltage_v) and isfinite(snapshot.current_a)):
        return Quality.NOT_A_NUMBER
    if silent_s > 0:
        return Quality.STALE
    return Quality.OVER_RANGE if snapshot.overflow else Quality.OK


def _temperature_quality(reading: TemperatureReading | None) -> Quality:
    if reading is None:
        return Quality.DISCONNECTED
    return Quality.OK if isfinite(reading.temperature_c) else Quality.NOT_A_NUMBER
