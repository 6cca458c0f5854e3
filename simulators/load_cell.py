"""A Lorenz load cell on a pseudo terminal: bytes in, bytes out, counts from the force on the cell."""

import asyncio
import os
import pty
import struct
import tty
from collections.abc import Callable
from pathlib import Path

from operando.model.beamline import Calibration
from simulators.conductor import Conductor
from simulators.lorenz_telegram import BROADCAST, CELL, HOST, Command, Refusal, Telegram, TelegramReader
from simulators.noise import keyed_normal
from simulators.tap import Tap

FULL_SCALE_N = 2000.0
COUNTS_AT_FULL_SCALE = 20_000.0
ZERO_COUNTS = 137.0  # mounting preload and amplifier offset
NOISE_N = 0.2
SAMPLE_S = 0.01  # the converter's own rate, 100 Hz
LARGEST_COUNT = 32_767
CONFIG_BLOCK = 128
CONFIG_LENGTH = 33
SERIAL_NUMBER = b"SIM00001"


def calibration() -> Calibration:
    """Return what a calibration bench finds for this sensor: counts at no load and at full scale."""
    return Calibration(
        id="simulated-2kN",
        date="2025-01-01",
        counts=(ZERO_COUNTS, ZERO_COUNTS + COUNTS_AT_FULL_SCALE),
        force_n=(0.0, FULL_SCALE_N),
    )


class LoadCell:
    """Answers Hello, ReadRaw, ReadStatusShort and ReadConfig; a stable link leads to its port.

    Parameters
    ----------
    link
        Path of the symbolic link; the terminal's own number changes with every plug.
    conductor
        Time.
    force_n
        Force on the sensor at a moment of virtual time, in N.
    seed
        Of the noise.

    ``converter`` is the tap for counts, ``sent`` that for the bytes of one answer.
    """

    def __init__(self, link: Path, conductor: Conductor, force_n: Callable[[float], float], *, seed: int) -> None:
        self.num_dropped = 0
        self.converter: Tap[int] = Tap()
        self.sent: Tap[bytes] = Tap()
        self._link = link
        self._conductor = conductor
        self._force_n = force_n
        self._seed = seed
        self._begin_s = conductor.now()
        self._reader = TelegramReader()
        self._ends: tuple[int, int] | None = None

    def plug(self) -> None:
        """Make the port, if it is not there."""
        if self._ends is not None:
            return
        device, port = pty.openpty()
        tty.setraw(port)
        os.set_blocking(device, False)  # an unread port must not block the instrument
        self._link.unlink(missing_ok=True)
        # The name of a terminal is given to the next one who asks, that of this process's file ends with the process:
        # whoever still holds the link of a killed beamline must not open another beamline's load cell.
        own = Path(f"/proc/{os.getpid()}/fd/{port}")
        self._link.symlink_to(own if own.exists() else os.ttyname(port))
        self._ends = device, port
        asyncio.get_running_loop().add_reader(device, self._read)

    def unplug(self) -> None:
        """Take the port away, as a pulled cable does."""
        if self._ends is None:
            return
        device, port = self._ends
        self._ends = None
        asyncio.get_running_loop().remove_reader(device)
        os.close(device)
        os.close(port)
        self._link.unlink(missing_ok=True)

    def counts_at(self, time_s: float) -> int:
        """Return what the converter says at ``time_s``: zero, force, noise, cut off at the end of its range."""
        sample = int((time_s - self._begin_s) / SAMPLE_S)
        force_n = self._force_n(time_s) + NOISE_N * keyed_normal(self._seed, "load_cell", sample)
        counts = round(ZERO_COUNTS + force_n * COUNTS_AT_FULL_SCALE / FULL_SCALE_N)
        return self.converter(max(-LARGEST_COUNT - 1, min(LARGEST_COUNT, counts)))

    def _read(self) -> None:
        assert self._ends is not None
        device, _ = self._ends
        try:
            data = os.read(device, 4096)
        except BlockingIOError:
            return
        for telegram in self._reader.received(data):
            answer = self._answer(telegram)
            if answer is not None:
                try:
                    os.write(device, self.sent(answer.encoded()))
                except BlockingIOError:  # nobody has read for so long that the port is full
                    self.num_dropped += 1

    def _answer(self, asked: Telegram) -> Telegram | None:
        if asked.to == BROADCAST or asked.to != CELL:
            return None
        match asked.command, asked.parameters:
            case Command.HELLO, b"":
                return Telegram(Command.HELLO, HOST, CELL, b"\x00")
            case Command.READ_RAW, b"":
                counts = self.counts_at(self._conductor.now())
                return Telegram(Command.READ_RAW, HOST, CELL, struct.pack(">hhhhB", counts, 0, counts, 0, 0))
            case Command.READ_STATUS_SHORT, b"":
                return Telegram(Command.READ_STATUS_SHORT, HOST, CELL, b"\x00")
            case Command.READ_CONFIG, parameters if parameters == bytes([CONFIG_BLOCK]):
                block = SERIAL_NUMBER + struct.pack(">f", FULL_SCALE_N)
                return Telegram(Command.READ_CONFIG, HOST, CELL, parameters + block.ljust(CONFIG_LENGTH - 1, b"\x00"))
            case Command.READ_CONFIG, parameters:
                return _refused(Refusal.BAD_PARAMETER if len(parameters) == 1 else Refusal.BAD_SIZE)
            case Command.HELLO | Command.READ_RAW | Command.READ_STATUS_SHORT, _:
                return _refused(Refusal.BAD_SIZE)
        return _refused(Refusal.BAD_COMMAND)


def _refused(reason: Refusal) -> Telegram:
    return Telegram(Command.REFUSED, HOST, CELL, bytes([reason]))
