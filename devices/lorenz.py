"""Driver of the Lorenz load cell on a serial line: one request, one answer, and what to do when there is none."""

import contextlib
import math
import termios
import time
from dataclasses import dataclass

import serial

from devices.lorenz_frames import HOST, LOAD_CELL, Command, Decoder, Frame, LorenzProtocolError, encoded, raw_counts
from devices.quality import Quality
from operando.model.clock import Clock

BAUD_RATE = 115200  # LCV-USB2; a DR-3000 has 230400
FIRST_BACK_OFF_S = 0.5
LONGEST_BACK_OFF_S = 8.0
_LINE_IS_GONE = (serial.SerialException, OSError, termios.error)  # termios.error is no OSError


@dataclass(frozen=True)
class Reading:
    """One answer of the load cell: counts (NaN without an answer) at a time of the run's clock."""

    time_s: float
    counts: float
    quality: Quality
    reason: str = ""


@dataclass
class Counters:
    """What happened on the line since the port was made."""

    num_frames: int = 0
    num_bad_checksums: int = 0
    num_resynchronised: int = 0
    num_reconnects: int = 0
    num_unanswered: int = 0


class LorenzPort:
    """Polls a Lorenz load cell and reconnects with growing pauses when its line is gone.

    Parameters
    ----------
    port
        Device path (best from ``/dev/serial/by-id``) or a pyserial URL.
    clock
        Stamps the readings and times the pauses between attempts to connect; time-outs of the line are real time.
    """

    def __init__(self, port: str, clock: Clock, *, baud_rate: int = BAUD_RATE) -> None:
        self.counters = Counters()
        self._port = port
        self._clock = clock
        self._baud_rate = baud_rate
        self._line: serial.Serial | None = None
        self._decoder = Decoder()
        self._back_off_s = FIRST_BACK_OFF_S
        self._next_attempt_s = -math.inf
        self._was_connected = False
        self._reason = f"{port} was not opened yet."

    def read_raw(self, timeout_s: float = 0.2) -> Reading:
        """Ask for one reading; a silent, damaged or unplugged load cell gives NaN counts with the quality that says so.

        ``timeout_s`` is real time. The last value is never repeated.
        """
        if self._line is None and not self._connect():
            return self._nothing(Quality.DISCONNECTED)
        bad_before = self._decoder.num_bad_checksums
        try:
            answer = self._exchange(timeout_s)
        except _LINE_IS_GONE as error:
            self._disconnect(f"{self._port}: the line is gone ({error}).")
            return self._nothing(Quality.DISCONNECTED)
        self.counters.num_frames = self._decoder.num_frames
        self.counters.num_bad_checksums = self._decoder.num_bad_checksums
        self.counters.num_resynchronised = self._decoder.num_resynchronised
        if answer is None:
            self.counters.num_unanswered += 1
            damaged = self._decoder.num_bad_checksums > bad_before
            self._reason = f"{self._port}: {'damaged' if damaged else 'no'} answer within {timeout_s:g} s."
            return self._nothing(Quality.BAD_CHECKSUM if damaged else Quality.STALE)
        try:
            counts = float(raw_counts(answer).calibrated[0])
        except LorenzProtocolError as error:
            self._reason = str(error)
            return self._nothing(Quality.STALE)
        return Reading(self._clock.now(), counts, Quality.OK)

    def close(self) -> None:
        """Close the line."""
        if self._line is not None:
            with contextlib.suppress(*_LINE_IS_GONE):  # an unplugged line cannot be closed properly
                self._line.close()
            self._line = None

    def _exchange(self, timeout_s: float) -> Frame | None:
        assert self._line is not None
        self._decoder.reset()
        self._line.reset_input_buffer()
        self._line.write(encoded(Frame(Command.READ_RAW, to=LOAD_CELL, sender=HOST)))
        deadline_s = time.monotonic() + timeout_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            self._line.timeout = left_s
            received = self._line.read(1)
            received += self._line.read(self._line.in_waiting)
            for frame in self._decoder.feed(received):
                if frame.to == HOST:
                    return frame
        return None

    def _connect(self) -> bool:
        if self._clock.steady() < self._next_attempt_s:
            return False
        try:
            self._line = serial.serial_for_url(
                self._port, self._baud_rate, timeout=0.2, write_timeout=0.2, exclusive=True
            )
        except (*_LINE_IS_GONE, ValueError) as error:
            self._disconnect(f"{self._port} cannot be opened ({error}). Check cable and load_cell.port.")
            return False
        self.counters.num_reconnects += self._was_connected
        self._was_connected = True
        self._back_off_s = FIRST_BACK_OFF_S
        return True

    def _disconnect(self, reason: str) -> None:
        self.close()
        self._reason = reason
        self._next_attempt_s = self._clock.steady() + self._back_off_s
        self._back_off_s = min(2 * self._back_off_s, LONGEST_BACK_OFF_S)

    def _nothing(self, quality: Quality) -> Reading:
        return Reading(self._clock.now(), math.nan, quality, self._reason)
