"""Soft devices with the interface that plans use, driven by a FastClock."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ophyd import Device, DeviceStatus, Signal
from ophyd.utils import LimitError

from devices.camera import CameraError, FrameCounts, FrameSeries
from devices.camera_clock import CameraOffset
from devices.cell import CellCommandError
from devices.checked_motor import MoveError
from devices.chip_region import ChipRegion
from devices.frame_documents import FrameDocuments, data_keys
from devices.rotation_stage import AngleScan, Flight, flight_of
from devices.shutter import ShutterState
from operando.model.frames import FrameKind
from plans.instruments import Instruments
from tests.support.fast_clock import FastClock


def done(device: Any) -> DeviceStatus:
    status = DeviceStatus(device)
    status.set_finished()
    return status


class SoftMotor(Device):  # type: ignore[misc]
    stall_s = 5.0

    def __init__(self, *, name: str, clock: FastClock, velocity: float) -> None:
        super().__init__(name=name)
        self.clock, self.velocity, self.position = clock, velocity, 0.0
        self.moving = self.stalls = self.slipped = False
        self.limits = (-1000.0, 1000.0)
        self._status = done(self)

    def check_value(self, position: float) -> None:
        low, high = self.limits
        if not low <= position <= high:
            raise LimitError(f"{self.name}: {position:g} lies outside {low:g} to {high:g}")

    def set(self, position: float) -> DeviceStatus:
        self.clock.require_life()
        status = DeviceStatus(self)
        self._status, self.moving, target = status, True, float(position)

        def arrive() -> None:
            if status.done:
                return
            self.moving = False
            if self.stalls:
                status.set_exception(MoveError(f"{self.name} stalled"))
                status.exception(timeout=5)
                return
            self.position = target
            status.set_finished()
            status.wait(5)

        self.clock.at(self.clock.now() + 0.1 + abs(target - self.position) / self.velocity, arrive)
        return status

    def look(self) -> None:
        pass

    def require_still(self) -> None:
        if self.slipped:
            raise MoveError(f"{self.name} slipped")

    def stop(self, *, success: bool = False) -> None:
        if not self.clock.dead:  # the RunEngine stops what moved, also where an error ends it
            self.moving = False


class SoftRotation(SoftMotor):
    normal_velocity_deg_s = 20.0

    def flight(self, scan: AngleScan) -> Flight:
        return flight_of(scan, acceleration_s=0.5)

    def prepare(self, flight: Flight | None) -> DeviceStatus:
        self.clock.require_life()
        self.velocity = 20.0 if flight is None else flight.velocity_deg_s
        return done(self)

    def fly(self, flight: Flight) -> DeviceStatus:
        return self.set(flight.to_deg)


class SoftShutter(Device):  # type: ignore[misc]
    state = ShutterState.CLOSED
    num_closings = 0

    def __init__(self, *, name: str, clock: FastClock) -> None:
        super().__init__(name=name)
        self.clock = clock

    def set(self, state: str) -> DeviceStatus:
        self.clock.require_life()
        self.state = ShutterState(state)
        self.num_closings += self.state is ShutterState.CLOSED
        return done(self)

    def look(self) -> None:
        pass


class SoftRing(Device):  # type: ignore[misc]
    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)
        self.value_ma = 200.0

    def current_ma(self) -> float:
        return self.value_ma

    @property
    def heard_ma(self) -> float:
        return self.value_ma

    def lowest_ma(self) -> float:
        return self.current_ma()


class SoftCamera(Device):  # type: ignore[misc]
    """Loses ``lost[kind]`` frames on the way to the file; ``stalls_after`` frames of projections nothing comes."""

    def __init__(self, *, name: str, clock: FastClock) -> None:
        super().__init__(name=name)
        self.clock = clock
        self.lost: Counter[FrameKind] = Counter()
        self.stalls_after: int | None = None
        self.num_exposures: Counter[Path] = Counter()
        self.acquiring = self.capturing = False
        self.series: FrameSeries | None = None
        self.region: ChipRegion | None = None
        self._flight: DeviceStatus | None = None
        self._acquired = self._written = 0
        self._last_s = 0.0

    def prepare(self, what: FrameSeries | ChipRegion) -> DeviceStatus:
        self.clock.require_life()
        if isinstance(what, ChipRegion):
            self.region = what
            return done(self)
        self.series, self._flight, self.capturing = what, None, True
        self._acquired = self._written = 0
        self._documents = FrameDocuments(self.name, what.path, (4, 8))
        return done(self)

    def kickoff(self) -> DeviceStatus:
        assert self.series is not None
        self.clock.require_life()
        if self._flight is None:
            series, begin_s = self.series, self.clock.now()
            self._flight, self.acquiring, self._last_s = DeviceStatus(self), True, begin_s
            self.num_exposures[series.path] += 1
            for index in range(series.num_frames):
                self.clock.at(begin_s + (index + 1) * series.period_s, partial(self._frame, series, index))
        return done(self)

    def _frame(self, series: FrameSeries, index: int) -> None:
        if not self.acquiring or self.series is not series:
            return
        if series.kind is FrameKind.PROJECTION and self.stalls_after is not None and index >= self.stalls_after:
            return
        self._last_s = self.clock.now()
        self._acquired += 1
        if index >= self.lost[series.kind]:
            self._written += 1
        if index == series.num_frames - 1:
            self.acquiring = False

    def complete(self) -> DeviceStatus:
        assert self._flight is not None
        return self._flight

    def look(self) -> FrameCounts:
        flight, series = self._flight, self.series
        if flight is not None and series is not None and not flight.done:
            if not self.acquiring:
                flight.set_finished()
                flight.wait(5)
            elif self.clock.now() - self._last_s > series.silence_s:
                flight.set_exception(CameraError("no more frames come"))
                flight.exception(timeout=5)
        return self.counts()

    def counts(self) -> FrameCounts:
        return FrameCounts(self._acquired, self._written, self._acquired - self._written, self._documents.num_declared)

    def clock_offset(self) -> CameraOffset | None:
        return CameraOffset(0.25, 0.001, 0.0)

    def end_series(self) -> DeviceStatus:
        self.clock.require_life()
        self.acquiring = self.capturing = False
        return done(self)

    def describe_collect(self) -> dict[str, dict[str, Any]]:
        return data_keys(self.name, "soft", (4, 8))

    def get_index(self) -> int:
        return self._written

    def collect_asset_docs(self, index: int | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from self._documents.up_to(self._written if index is None else min(index, self._written))


def soft_signal(value: Any) -> Any:
    from ophyd import Component

    return Component(Signal, value=value, kind="normal")


class SoftCell(Device):  # type: ignore[misc]
    """A guard with a cell whose voltage is linear in charge: ``volts_per_ampere_second`` x current, from 3.0 V."""

    voltage, current, charge = soft_signal(3.0), soft_signal(0.0), soft_signal(0.0)
    force, pressure, temperature = soft_signal(735.0), soft_signal(26.0), soft_signal(25.0)
    state, step, trip = soft_signal("OPEN_CIRCUIT"), soft_signal(""), soft_signal("")
    sample_time, period = soft_signal(1000.0), soft_signal(10.0)
    clock_uncertainty, clock_server_behind = soft_signal(0.001), soft_signal(float("nan"))
    clock_drift, clock_drift_uncertainty = soft_signal(50.0), soft_signal(20.0)
    potentiostat_row, load_cell_row, temperature_row = soft_signal(0), soft_signal(0), soft_signal(0)
    is_given_up = False

    def __init__(self, *, name: str, clock: FastClock, volts_per_ampere_second: float = 0.01) -> None:
        super().__init__(name=name)
        self.clock, self.slope = clock, volts_per_ampere_second
        self.commands: list[tuple[str, dict[str, Any]]] = []
        self.obeyed: set[str | None] = set()
        self.is_gone = False  # the instrument behind the guard: nobody opens its circuit
        self.rows: list[dict[str, Any]] = []
        self._technique: dict[str, Any] = {}
        self._last_s = self._began_s = self._held_since_s = clock.now()
        self._sampling = 0
        self._tick()

    def command(self, command: str, arguments: dict[str, Any], *, command_id: str | None = None) -> DeviceStatus:
        self.clock.require_life()
        self._advance()
        if command_id is not None and command_id in self.obeyed:
            return done(self)
        if command == "open_circuit" and self.is_gone:
            raise CellCommandError("it does not answer")
        self.obeyed.add(command_id)
        self.commands.append((command, arguments))
        if command == "set_sampling":
            self.period.put(arguments["period_s"])
            self._tick()
        elif command == "open_circuit":
            self._technique = {}
            self.state.put("OPEN_CIRCUIT")
            self.current.put(0.0)
        elif command in ("rest", "constant_current", "constant_voltage"):
            self._technique, self._began_s = {"command": command, **arguments}, self.clock.now()
            self.state.put("RUNNING")
            self.step.put(arguments["step"])
            self.current.put(arguments.get("current_a", 0.0))
            if command == "constant_voltage":
                self.voltage.put(arguments["voltage_v"])
        return done(self)

    def check_answer(self) -> None:
        pass

    def since(self, row: int) -> list[dict[str, Any]]:
        return [sample for sample in self.rows if sample["id"] > row]

    def newest_first(self, row: int) -> Iterator[dict[str, Any]]:
        yield from reversed(self.since(row))

    def trip_now(self, reason: str) -> None:
        self.trip.put(reason)
        self.state.put("TRIPPED")
        self.current.put(0.0)
        self._technique = {}

    def _tick(self, number: int | None = None) -> None:
        if number is not None and number != self._sampling:
            return  # the period was changed meanwhile
        self._sampling += 1
        number = self._sampling
        self._advance()
        now_s = self.clock.now()
        self.rows.append(
            {"id": len(self.rows) + 1, "time_s": now_s, "elapsed_s": now_s, "made_s": now_s,
             "voltage_v": self.voltage.get(), "current_a": self.current.get(), "charge_mah": None}
        )  # fmt: skip
        self.potentiostat_row.put(len(self.rows))
        self.sample_time.put(now_s)
        self.clock.at(now_s + self.period.get(), lambda: self._tick(number))

    def _advance(self) -> None:
        now_s, technique = self.clock.now(), self._technique
        spent_s, self._last_s = now_s - self._last_s, now_s
        if self.state.get() == "HOLDING" and now_s - self._held_since_s >= technique["max_hold_s"]:
            self.state.put("STEP_ENDED")
        if self.state.get() != "RUNNING":
            return
        if technique["command"] == "constant_current":
            current_a, until_v = technique["current_a"], technique["until_voltage_v"]
            voltage_v = self.voltage.get() + self.slope * current_a * spent_s
            if (voltage_v - until_v) * current_a >= 0:
                self.voltage.put(until_v)
                self.current.put(0.0)
                self.state.put("HOLDING" if technique["hold"] else "STEP_ENDED")
                self._held_since_s = now_s
                return
            self.voltage.put(voltage_v)
        limit_s = float(technique["duration_s"] if "duration_s" in technique else technique["max_duration_s"])
        if now_s - self._began_s >= limit_s - 1e-6:
            self.state.put("STEP_ENDED")
            self.current.put(0.0)


def soft_instruments(clock: FastClock, **cell_options: Any) -> Instruments:
    return Instruments(
        camera=SoftCamera(name="camera", clock=clock),
        rotation_stage=SoftRotation(name="rotation", clock=clock, velocity=20.0),
        sample_x=SoftMotor(name="sample_x", clock=clock, velocity=5.0),
        shutter=SoftShutter(name="shutter", clock=clock),
        cell=SoftCell(name="cell", clock=clock, **cell_options),
        ring_current=SoftRing(name="ring_current"),
    )
