"""The guard's loop with instruments of its own test: what it does when one of them fails it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.lorenz import Reading
from devices.potentiostat import PotentiostatError
from devices.potentiostat_reading import ChannelState, Snapshot
from devices.quality import Quality
from devices.temperature import TemperatureReading
from operando.guard.commands import ALLOWED_WHILE_TRIPPED, STEPS
from operando.guard.control import CellControl
from operando.guard.guard import MOST_ANSWERS, Guard
from operando.guard.inbox import MOST_WAITING, Answer, Command, Inbox
from operando.guard.limit_reading import CellReading
from operando.guard.memory import Memory
from operando.guard.potentiostat_clock import PotentiostatClock, StampedReadOuts
from operando.guard.record import Record
from operando.guard.samples import Sample
from operando.model.cell_log import CellLogReader, CellLogWriter
from operando.model.clock import SystemClock
from operando.model.experiment_file import load_experiment
from operando.model.limit_rules import Quantity

EXPERIMENT = Path(__file__).parents[3] / "experiments" / "cus_26mpa.toml"
POLL_S = 0.01
SNAPSHOT = Snapshot(2.4, 0.0, 10.0, ChannelState.STOP, 0, False, None, 0.0)


class Instrument:
    """A potentiostat that shows one state and takes no technique."""

    state = ChannelState.STOP

    def poll(self) -> Snapshot:
        return replace(SNAPSHOT, state=self.state)

    def load(self, _techniques: object) -> None:
        self.state = ChannelState.PAUSE  # from here on it neither runs nor stops
        raise PotentiostatError("The instrument refused the sequence.")

    def open_circuit(self) -> None:
        pass


class Readings:
    """Samples of a healthy cell."""

    any_silent = False
    time_s = 1.0
    voltage_v = 2.4

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument

    def read(self, judge: Callable[[CellReading], None]) -> Sample:
        snapshot = self.instrument.poll()
        values = {Quantity.VOLTAGE: self.voltage_v, Quantity.CURRENT: 0.0}
        judge(CellReading(self.time_s, values=values, snapshot=snapshot))
        return Sample(
            time_s=self.time_s,
            potentiostat=snapshot,
            load_cell=Reading(1.0, 7000.0, Quality.OK),
            temperature=TemperatureReading(25.0, 1.0),
            force_n=735.0,
            pressure_mpa=26.0,
            potentiostat_quality=Quality.OK,
            load_cell_quality=Quality.OK,
            temperature_quality=Quality.OK,
            any_silent=self.any_silent,
        )


class Shown:
    """What was published last; a server that is too busy when told so."""

    busy = False

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def publish(self, values: Mapping[str, Any], _time_s: float) -> None:
        if self.busy:
            raise TimeoutError
        self.values |= values


class Bench:
    def __init__(self, directory: Path, clock: SystemClock, memory: Memory) -> None:
        self.instrument, self.shown, self.inbox = Instrument(), Shown(), Inbox(clock)
        self.record = Record(CellLogWriter(directory / "cell.sqlite"), clock, clock)
        self.readings = Readings(self.instrument)
        control = CellControl(self.instrument, self.inbox, clock, POLL_S)  # type: ignore[arg-type]
        self.experiment = load_experiment(EXPERIMENT)
        self.guard = Guard(
            self.experiment,
            self.readings,  # type: ignore[arg-type]
            control,
            self.record,
            self.shown,
            self.inbox,
            clock,
            memory,
            PotentiostatClock(StampedReadOuts(), self.record),
        )


@pytest.fixture
def clock() -> Iterator[SystemClock]:
    clock = SystemClock()
    yield clock
    clock.close()


def test_a_step_that_neither_starts_nor_stops_trips_and_stays_unsafe(tmp_path: Path, clock: SystemClock) -> None:
    bench = Bench(tmp_path, clock, Memory())
    bench.guard.adopt()
    answers: list[Answer] = []

    def keep(answer: Answer) -> None:
        answers.append(answer)
        bench.inbox.end("answered")

    bench.inbox.put(Command("1", "rest", {"step": "rest", "duration_s": 60.0}, keep))
    bench.guard.run()
    assert [answer.outcome for answer in answers] == ["failed"]
    assert bench.shown.values["STATE"] == "UNSAFE"
    assert "did not start" in bench.shown.values["TRIP"]
    bench.instrument.state = ChannelState.STOP
    bench.guard.sample()
    assert bench.shown.values["STATE"] == "TRIPPED"
    bench.record.close()


def test_a_server_too_busy_to_publish_does_not_end_the_guard(tmp_path: Path, clock: SystemClock) -> None:
    bench = Bench(tmp_path, clock, Memory())
    bench.shown.busy = True
    bench.guard.adopt()
    bench.shown.busy = False
    bench.guard.sample()
    assert bench.shown.values["HEARTBEAT"] == 2
    bench.record.close()


def test_only_a_rehearsal_that_jumps_through_time_is_sampled_more_rarely_than_its_file_says(
    tmp_path: Path, clock: SystemClock
) -> None:
    bench = Bench(tmp_path, clock, Memory(period_s=86400.0))
    bench.guard.adopt()
    sampling = bench.experiment.sampling
    assert bench.guard.period_s == max(sampling.in_tomogram, sampling.between_tomograms)
    bench.record.close()


def test_a_silent_thermometer_shortens_the_period_as_every_instrument_does(tmp_path: Path, clock: SystemClock) -> None:
    bench = Bench(tmp_path, clock, Memory(period_s=0.5))
    bench.guard._longest_live_period_s = 60.0
    bench.guard.adopt()
    bench.guard._asked_period_s = 30.0
    assert bench.guard.period_s == 30.0
    bench.readings.any_silent = True
    bench.guard.sample()
    assert bench.guard.period_s == 1.0
    bench.record.close()


def kinds(directory: Path) -> list[str]:
    reader = CellLogReader(directory / "cell.sqlite")
    try:
        return [event["kind"] for event in reader.rows("events")]
    finally:
        reader.close()


def test_a_cell_that_stays_unsafe_is_told_once_a_minute_while_every_sample_tries(
    tmp_path: Path, clock: SystemClock
) -> None:
    bench = Bench(tmp_path, clock, Memory(trip="The voltage was 9 V."))
    bench.instrument.state = ChannelState.PAUSE
    for _ in range(4):
        bench.guard.sample()
    assert bench.shown.values["STATE"] == "UNSAFE"
    bench.record.close()
    assert kinds(tmp_path).count("unsafe") == 1


def test_a_flickering_reading_trips_nothing_and_does_not_fill_the_log(tmp_path: Path, clock: SystemClock) -> None:
    bench = Bench(tmp_path, clock, Memory())
    bench.guard.adopt()
    for second in range(300):
        bench.readings.time_s = 100.0 + second
        bench.readings.voltage_v = 9.0 if second % 20 == 0 else 2.4 + second * 1e-5
        bench.guard.sample()
    assert not bench.shown.values["TRIP"]
    bench.record.close()
    assert kinds(tmp_path).count("limit_passed") == 1


NAMES = st.sampled_from([*STEPS, *ALLOWED_WHILE_TRIPPED]) | st.text(max_size=50)
KEYS = st.sampled_from(
    ["step", "duration_s", "current_a", "until_voltage_v", "max_duration_s", "hold", "voltage_v", "reason", "period_s",
     "person", "text"]
)  # fmt: skip
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=50), st.just(10**400), st.just("\ud800")
)


def test_no_command_ends_the_guard(tmp_path: Path, clock: SystemClock) -> None:
    bench = Bench(tmp_path, clock, Memory())
    bench.guard.adopt()
    answers: list[Answer] = []

    @settings(max_examples=100, deadline=None)
    @given(NAMES, st.dictionaries(KEYS, VALUES, max_size=6))
    def command(name: str, arguments: dict[str, Any]) -> None:
        bench.instrument.state = ChannelState.STOP
        bench.guard._safety.trip, bench.guard._safety.unsafe = "", False
        bench.inbox.put(Command(str(len(answers)), name, arguments, answers.append))
        bench.inbox.put(Command("end", "note", {"text": "end"}, lambda _: bench.inbox.end("asked")))
        bench.guard.run()
        bench.inbox.taken_end()

    command()
    assert {answer.outcome for answer in answers} <= {"done", "refused", "failed"}
    assert not any("could not handle" in answer.reason for answer in answers), answers
    bench.record.close()
    assert len(CellLogReader(tmp_path / "cell.sqlite").rows("events")) > len(answers)


def test_answers_are_not_remembered_without_end(tmp_path: Path, clock: SystemClock) -> None:
    bench = Bench(tmp_path, clock, Memory())
    for number in range(MOST_ANSWERS + 10):
        bench.guard._remember(Answer(str(number), "done", ""))
    assert len(bench.guard._answers) == MOST_ANSWERS
    bench.record.close()


def test_a_full_inbox_says_so(clock: SystemClock) -> None:
    inbox = Inbox(clock)
    for number in range(MOST_WAITING):
        assert not inbox.is_full
        inbox.put(Command(str(number), "note"))
    assert inbox.is_full
