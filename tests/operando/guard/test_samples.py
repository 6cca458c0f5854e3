"""What one sample tells of an instrument that answers nonsense, or nothing."""

from dataclasses import replace
from math import inf, nan

import pytest

from devices.force_calibration import ForceCalibration
from devices.lorenz import Reading
from devices.potentiostat_reading import ChannelState, Snapshot
from devices.quality import Quality
from devices.temperature import TemperatureReading
from operando.guard.limit_reading import CellReading
from operando.guard.samples import Sample, Sampler
from operando.model.limit_rules import Quantity

SNAPSHOT = Snapshot(2.4, 0.0, 10.0, ChannelState.RUN, 0, False, None, 0.0)


class Instruments:
    """All three instruments and the clock; each says what it is told to say."""

    def __init__(self) -> None:
        self.time_s, self.step_s = 1000.0, 0.0
        self.snapshot: Snapshot | None = SNAPSHOT
        self.temperature: TemperatureReading | None = TemperatureReading(25.0, 0.0)
        self.force = Reading(0.0, 7000.0, Quality.OK)
        self.reachable = True

    def now(self) -> float:
        return self.time_s + self.step_s

    def steady(self) -> float:
        return self.time_s

    def read_raw(self) -> Reading:
        return self.force


class Channel(Instruments):
    def poll(self) -> Snapshot | None:
        return self.snapshot


class Thermometer(Instruments):
    def poll(self) -> TemperatureReading | None:
        return self.temperature


class Bench:
    def __init__(self) -> None:
        self.channel, self.thermometer, self.other = Channel(), Thermometer(), Instruments()
        calibration = ForceCalibration(0.1, 0.0, 2000.0, "bench")
        self.sampler = Sampler(
            self.channel, self.other, self.thermometer, calibration, 28.3, self.other, poll_s=1.0  # type: ignore[arg-type]
        )  # fmt: skip

    def read(self, time_s: float) -> tuple[Sample, dict[Quantity, float], dict[Quantity, float]]:
        self.other.time_s = time_s
        silent_s: dict[Quantity, float] = {}
        gone_s: dict[Quantity, float] = {}

        def judge(reading: CellReading) -> None:
            silent_s.update(reading.silent_s)
            gone_s.update(reading.gone_s)

        return self.sampler.read(judge), silent_s, gone_s


@pytest.mark.parametrize("elapsed_s", [nan, inf, 10.0])
def test_an_elapsed_time_that_does_not_go_on_or_is_none_is_silence(elapsed_s: float) -> None:
    bench = Bench()
    bench.read(1000.0)
    bench.channel.snapshot = replace(SNAPSHOT, elapsed_s=elapsed_s)
    found = [bench.read(1000.0 + number)[1][Quantity.POTENTIOSTAT] for number in range(1, 6)]
    assert found == [0.0, 0.0, 3.0, 4.0, 5.0]  # two polls may show the same


def test_a_potentiostat_that_never_told_a_time_is_silent_from_the_first_sample() -> None:
    bench = Bench()
    bench.channel.snapshot = replace(SNAPSHOT, elapsed_s=nan)
    assert [bench.read(time_s)[1][Quantity.POTENTIOSTAT] for time_s in (1000.0, 1003.0)] == [0.0, 3.0]


def test_silence_and_a_lost_connection_are_told_apart() -> None:
    bench = Bench()
    bench.read(1000.0)
    bench.channel.snapshot = bench.thermometer.temperature = None
    bench.thermometer.reachable = False
    bench.other.force = Reading(0.0, nan, Quality.DISCONNECTED)
    bench.read(1001.0)
    sample, silent_s, gone_s = bench.read(1004.0)
    instruments = Quantity.POTENTIOSTAT, Quantity.THERMOMETER, Quantity.LOAD_CELL
    assert [silent_s[each] for each in instruments] == [3.0, 3.0, 3.0]
    assert [gone_s[each] for each in instruments] == [0.0, 3.0, 3.0]
    assert sample.any_silent
    assert sample.quality is Quality.DISCONNECTED


@pytest.mark.parametrize("step_s", [6.0, 3600.0, -3600.0])
def test_a_clock_that_is_set_makes_nobody_silent_and_hides_no_silence(step_s: float) -> None:
    bench = Bench()
    bench.read(1000.0)
    bench.other.step_s = step_s
    sample, silent_s, gone_s = bench.read(1001.0)  # the server has nothing new yet
    assert sample.time_s == 1001.0 + step_s
    assert not sample.any_silent
    assert not any((*silent_s.values(), *gone_s.values()))
    bench.channel.snapshot = bench.thermometer.temperature = None
    bench.read(1002.0)
    bench.other.step_s = 0.0
    assert bench.read(1008.0)[1] == {Quantity.POTENTIOSTAT: 6.0, Quantity.THERMOMETER: 6.0, Quantity.LOAD_CELL: 0.0}


def test_limits_are_judged_by_a_time_that_nobody_sets() -> None:
    bench = Bench()
    bench.other.step_s = 3600.0
    judged: list[float] = []
    bench.sampler.read(lambda reading: judged.append(reading.time_s))
    assert judged == [1000.0] * 3


def test_an_infinite_reading_is_no_good_one() -> None:
    bench = Bench()
    bench.channel.snapshot = replace(SNAPSHOT, voltage_v=inf)
    assert bench.read(1000.0)[0].quality is Quality.NOT_A_NUMBER
