import math
import os
import pty
import select
import struct
import threading
import tty
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from devices.lorenz import LorenzPort
from devices.lorenz_frames import HOST, LOAD_CELL, Command, Decoder, Frame, encoded
from devices.quality import Quality

TIMEOUT_S = 0.05


class HandClock:
    """Time that moves when the test says so."""

    def __init__(self) -> None:
        self.time_s, self.step_s = 1000.0, 0.0

    def now(self) -> float:
        return self.time_s + self.step_s

    def steady(self) -> float:
        return self.time_s

    def sleep_until(self, deadline_s: float) -> float:
        self.time_s = max(self.time_s, deadline_s)
        return self.time_s

    def timer(self, deadline_s: float) -> "Future[float]":
        raise NotImplementedError

    def close(self) -> None:
        pass


class PtyLoadCell:
    """Answers ReadRaw on a pseudo terminal as long as it is plugged and not told to be silent or damaged."""

    def __init__(self, link: Path) -> None:
        self.link, self.counts = link, 10_000
        self.silent = self.damaged = False
        self.plug()

    def plug(self) -> None:
        self._device, self._port = pty.openpty()
        tty.setraw(self._port)
        self.link.symlink_to(os.ttyname(self._port))
        self._stop, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        os.write(self._wake, b"x")
        self._thread.join()
        for descriptor in (self._device, self._port, self._stop, self._wake):
            os.close(descriptor)
        self.link.unlink()

    def _answer(self) -> None:
        decoder = Decoder()
        while True:
            ready, _, _ = select.select([self._device, self._stop], [], [])
            if self._stop in ready:
                return
            for frame in decoder.feed(os.read(self._device, 256)):
                if frame.command == Command.READ_RAW and not self.silent:
                    payload = struct.pack(">hhhhB", self.counts, 0, self.counts, 0, 0)
                    answer = encoded(Frame(Command.READ_RAW, HOST, LOAD_CELL, payload))
                    os.write(self._device, answer[:-1] + b"\xee" if self.damaged else answer)


@pytest.fixture
def load_cell(tmp_path: Path) -> Iterator[PtyLoadCell]:
    made = PtyLoadCell(tmp_path / "load_cell")
    yield made
    if made.link.is_symlink():
        made.unplug()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def port(load_cell: PtyLoadCell, clock: HandClock) -> Iterator[LorenzPort]:
    made = LorenzPort(str(load_cell.link), clock)
    yield made
    made.close()


def test_counts_come_with_the_clocks_time(port: LorenzPort, load_cell: PtyLoadCell, clock: HandClock) -> None:
    load_cell.counts = -514
    reading = port.read_raw()
    assert (reading.counts, reading.quality, reading.time_s) == (-514, Quality.OK, clock.time_s)
    assert port.counters.num_frames == 1


def test_silence_is_stale_and_never_the_last_value(port: LorenzPort, load_cell: PtyLoadCell) -> None:
    port.read_raw()
    load_cell.silent = True
    reading = port.read_raw(TIMEOUT_S)
    assert math.isnan(reading.counts)
    assert reading.quality is Quality.STALE
    assert "0.05 s" in reading.reason
    assert port.counters.num_unanswered == 1
    load_cell.silent = False
    assert port.read_raw().quality is Quality.OK


def test_a_damaged_answer_is_told_apart_from_silence(port: LorenzPort, load_cell: PtyLoadCell) -> None:
    load_cell.damaged = True
    assert port.read_raw(TIMEOUT_S).quality is Quality.BAD_CHECKSUM
    assert port.counters.num_bad_checksums == 1


def test_a_pulled_cable_is_reconnected_after_growing_pauses(
    port: LorenzPort, load_cell: PtyLoadCell, clock: HandClock
) -> None:
    assert port.read_raw().quality is Quality.OK
    load_cell.unplug()
    assert port.read_raw(TIMEOUT_S).quality is Quality.DISCONNECTED
    load_cell.plug()
    assert port.read_raw().quality is Quality.DISCONNECTED  # the pause of 0.5 s is not over
    clock.time_s += 0.5
    assert port.read_raw().quality is Quality.OK
    assert port.counters.num_reconnects == 1


def test_a_clock_that_is_set_back_delays_no_reconnection(
    port: LorenzPort, load_cell: PtyLoadCell, clock: HandClock
) -> None:
    port.read_raw()
    load_cell.unplug()
    assert port.read_raw(TIMEOUT_S).quality is Quality.DISCONNECTED
    load_cell.plug()
    clock.step_s = -3600.0
    clock.time_s += 0.5
    assert port.read_raw().quality is Quality.OK


def test_a_port_that_is_not_there_is_named(tmp_path: Path, clock: HandClock) -> None:
    reading = LorenzPort(str(tmp_path / "nothing"), clock).read_raw()
    assert reading.quality is Quality.DISCONNECTED
    assert "load_cell.port" in reading.reason
