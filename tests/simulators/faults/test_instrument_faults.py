"""Faults of sensors, serial line, stages and potentiostat, each put into the simulated instrument itself."""

import asyncio
import math
from collections.abc import Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import numpy as np
import pytest

from simulators.conductor import Conductor
from simulators.dummy_cell import DummyCell
from simulators.faults.fault import End, Fault, Instruments, Scene
from simulators.faults.fault_file import fault_from
from simulators.load_cell import LoadCell
from simulators.lorenz_telegram import CELL, HOST, Command, Telegram, TelegramReader
from simulators.motor import Motion
from simulators.potentiostat_channel import Channel
from simulators.potentiostat_technique import ChannelError, Code
from simulators.scalar_sensors import RING_CURRENT_MA, StoredCurrent
from simulators.tap import Tap

ANSWER = Telegram(Command.READ_RAW, HOST, CELL, bytes(9)).encoded()
ReturnT = TypeVar("ReturnT")


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.due: list[tuple[float, Any]] = []

    def now(self) -> float:
        return self.now_s

    def at(self, time_s: float, handler: Any, **_: Any) -> None:
        self.due.append((time_s, handler))

    def on_arrival(self, _: object) -> None:
        return


def run(coroutine: Coroutine[Any, Any, ReturnT]) -> ReturnT:
    return asyncio.run(coroutine)


def begin(told: list[dict[str, Any]], fault: dict[str, Any], **instruments: Any) -> End | None:
    scene = Scene(
        cast(Instruments, SimpleNamespace(**instruments)),
        lambda **details: told.append(details),
        np.random.default_rng(1),
    )
    made: Fault = fault_from(fault)
    return run(made.begin(scene))


@pytest.fixture
def told() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def load_cell(tmp_path: Path) -> LoadCell:
    return LoadCell(tmp_path / "link", cast(Conductor, Time()), lambda time_s: 100.0 + time_s, seed=1)


def ended(end: End | None) -> None:
    assert end is not None
    end()


def telegrams(data: bytes) -> tuple[int, int]:
    """How many telegrams are whole and how many damaged."""
    reader = TelegramReader()
    return len(list(reader.received(data))), reader.num_damaged


def test_a_frozen_load_cell_repeats_one_reading(load_cell: LoadCell, told: list[dict[str, Any]]) -> None:
    before = load_cell.counts_at(500.0)
    end = begin(told, {"kind": "frozen_sensor", "sensor": "load_cell", "duration": "1 s"}, load_cell=load_cell)
    frozen = load_cell.counts_at(0.0)
    assert [load_cell.counts_at(time_s) for time_s in (0.0, 100.0, 500.0)] == [frozen] * 3
    ended(end)
    assert load_cell.counts_at(500.0) == before != frozen


def test_a_spike_is_one_reading(load_cell: LoadCell, told: list[dict[str, Any]]) -> None:
    calm = load_cell.counts_at(1.0)
    begin(told, {"kind": "spike", "sensor": "load_cell", "size": "300 N"}, load_cell=load_cell)
    assert load_cell.counts_at(1.0) == calm + 3000, "10 counts for each newton"
    assert load_cell.counts_at(1.0) == calm


def test_the_serial_line_is_silent_noisy_or_wrong_and_then_well_again(
    load_cell: LoadCell, told: list[dict[str, Any]]
) -> None:
    expected = {"silent_sensor": (0, 0), "wrong_checksum": (0, 1)}
    for kind, found in expected.items():
        sensor = {"sensor": "load_cell"} if kind == "silent_sensor" else {}
        end = begin(told, {"kind": kind, "duration": "1 s", **sensor}, load_cell=load_cell)
        assert telegrams(load_cell.sent(ANSWER)) == found
        ended(end)
    end = begin(told, {"kind": "serial_garbage", "duration": "1 s", "replaced": 0.5}, load_cell=load_cell)
    assert len(load_cell.sent(ANSWER)) == 20 + len(ANSWER)
    assert load_cell.sent(ANSWER)[-len(ANSWER) :] != ANSWER
    ended(end)
    assert load_cell.sent(ANSWER) == ANSWER
    assert telegrams(ANSWER) == (1, 0)


def test_an_unplugged_port_comes_back_under_its_name(tmp_path: Path, told: list[dict[str, Any]]) -> None:
    async def plugged() -> None:
        load_cell = LoadCell(tmp_path / "link", cast(Conductor, Time()), lambda _: 0.0, seed=1)
        load_cell.plug()
        fault = fault_from({"kind": "serial_unplug", "duration": "1 s"})
        scene = Scene(
            cast(Instruments, SimpleNamespace(load_cell=load_cell)), lambda **_: None, np.random.default_rng(1)
        )
        end = await fault.begin(scene)
        assert not (tmp_path / "link").is_symlink()
        ended(end)
        assert (tmp_path / "link").exists()
        load_cell.unplug()

    run(plugged())


def test_a_thermometer_freezes_says_no_number_or_nothing(told: list[dict[str, Any]]) -> None:
    sensors = SimpleNamespace(thermometer=Tap())
    for kind, found in {"frozen_sensor": [20.0], "silent_sensor": []}.items():
        end = begin(told, {"kind": kind, "sensor": "thermometer", "duration": "1 s"}, sensors=sensors)
        sensors.thermometer([20.0])
        assert sensors.thermometer([25.0]) == found
        ended(end)
    begin(told, {"kind": "not_a_number", "sensor": "thermometer", "duration": "1 s"}, sensors=sensors)
    assert math.isnan(sensors.thermometer([25.0])[0])


def test_a_potentiostat_freezes_with_or_without_its_time(told: list[dict[str, Any]]) -> None:
    first, second = {"EWE": 1.0, "TIME": 10.0}, {"EWE": 2.0, "TIME": 11.0}
    for time_runs, expected in ((False, first), (True, {"EWE": 1.0, "TIME": 11.0})):
        potentiostat = SimpleNamespace(readings=Tap())
        fault = {"kind": "frozen_sensor", "sensor": "potentiostat", "duration": "1 s", "time_runs": time_runs}
        begin(told, fault, potentiostat=potentiostat)
        assert potentiostat.readings(first) == first
        assert potentiostat.readings(second) == expected


def test_a_command_is_refused_as_often_as_asked(told: list[dict[str, Any]]) -> None:
    potentiostat = SimpleNamespace(commands=Tap())
    begin(told, {"kind": "refused_command", "command": "STOP", "times": 2}, potentiostat=potentiostat)
    assert potentiostat.commands("START") == "START"
    for _ in range(2):
        with pytest.raises(ChannelError) as error:
            potentiostat.commands("STOP")
        assert error.value.code is Code.FUNCTION_IN_PROGRESS
    assert potentiostat.commands("STOP") == "STOP"
    assert told == [{"refused": "STOP"}] * 2


def test_the_potentiostats_clock_jumps_and_then_drifts(told: list[dict[str, Any]]) -> None:
    channel, time = Channel(DummyCell(0.0), 0.0, 1e-3), Time()
    time.now_s = 100.0
    fault = {"kind": "potentiostat_clock", "jump": "10 s", "drift_ppm": 50.0}
    begin(told, fault, channel=channel, conductor=time)
    assert channel.elapsed_s(100.0) == pytest.approx(110.0)
    assert channel.elapsed_s(100.0 + 20_000.0) == pytest.approx(20_111.0), "1 s in 20 000 s are 50 ppm"


def test_a_flickering_beam_is_half_there_on_average(told: list[dict[str, Any]]) -> None:
    time = Time()
    ring = StoredCurrent(prefix="R:", conductor=cast(Conductor, time))
    end = begin(told, {"kind": "beam_flicker", "duration": "1 s", "period": "0.2 s"}, ring=ring, conductor=time)
    while time.due and time.due[0][0] < 0.95:
        time.now_s, handler = time.due.pop(0)
        run(handler())
    time.now_s = 1.0
    ended(end)
    assert ring.beam(0.0, 1.0) == pytest.approx(0.5)
    assert ring.beam(1.0, 2.0) == 1.0
    assert ring.current_ma == RING_CURRENT_MA


def test_losses_that_overlap_leave_the_whole_beam_when_all_are_over(told: list[dict[str, Any]]) -> None:
    time = Time()
    ring = StoredCurrent(prefix="R:", conductor=cast(Conductor, time))
    loss = begin(told, {"kind": "beam_loss", "duration": "1 s", "left": 0.5}, ring=ring)
    flicker = begin(told, {"kind": "beam_flicker", "duration": "1 s", "period": "0.2 s"}, ring=ring, conductor=time)
    assert ring.current_ma == 0.0
    ended(loss)
    assert ring.current_ma == 0.0
    ended(flicker)
    assert ring.current_ma == ring.asked_ma == RING_CURRENT_MA


def test_a_lost_beam_is_nothing_that_was_asked_for(told: list[dict[str, Any]]) -> None:
    ring = StoredCurrent(prefix="R:", conductor=cast(Conductor, Time()))
    begin(told, {"kind": "beam_loss", "duration": "1 s"}, ring=ring)
    assert (ring.current_ma, ring.asked_ma) == (0.0, RING_CURRENT_MA), "a beamline that is started again has its beam"


def test_a_slipped_axis_ends_beside_its_target_and_stood_right_before() -> None:
    motion = Motion(0.0, 0.0, 20.0, 2.0, 0.5, slip=0.5, slips_s=5.0)
    undisturbed = Motion(0.0, 0.0, 20.0, 2.0, 0.5)
    assert motion.position_at(4.9) == undisturbed.position_at(4.9)
    assert motion.position_at(5.0) == pytest.approx(undisturbed.position_at(5.0) + 0.5)
    assert motion.position_at(100.0) == motion.end == 20.5
