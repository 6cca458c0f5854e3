"""Bytes of the Lorenz load cell protocol: frames out, frames in, nothing of ports or time."""

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct

START = 0x02
HOST = 0xFF
LOAD_CELL = 0x01
_NUM_HEADER_BYTES = 4
_NUM_CHECKSUM_BYTES = 2
_RAW_ANSWER = Struct(">hhhhB")  # raw 0, raw 1, calibrated 0, calibrated 1, one spare byte
_REFUSALS = {  # decimal in the published driver, unlike its commands
    40: "bad size",
    41: "bad command",
    42: "bad checksum",
    43: "bad parameter",
    44: "bad address",
}


class Command(IntEnum):
    """Requests and answers that this project uses."""

    ACKNOWLEDGED = 0x06
    REFUSED = 0x15
    HELLO = 0x40
    READ_RAW = 0x41
    READ_STATUS_SHORT = 0x43
    READ_CONFIGURATION = 0x44


class LorenzProtocolError(ValueError):
    """A frame that is whole but does not say what was asked for."""


@dataclass(frozen=True)
class Frame:
    """One message: command, receiver, sender and up to 255 parameter bytes."""

    command: int
    to: int
    sender: int
    parameters: bytes = b""


@dataclass(frozen=True)
class RawCounts:
    """Answer to ReadRaw, signed counts of both channels before and after the instrument's own calibration."""

    raw: tuple[int, int]
    calibrated: tuple[int, int]


def checksums(body: bytes) -> bytes:
    """Return the plain sum modulo 256 and the weighted sum that adds the running sum with end-around carry.

    References
    ----------
    Duckle29/LorenzTelegram (BSD-3-Clause).
    """
    plain = weighted = 0
    for byte in body:
        plain = (plain + byte) & 0xFF
        weighted += plain
        if weighted > 0xFF:
            weighted += 1
        weighted &= 0xFF
    return bytes((plain, weighted))


def encoded(frame: Frame) -> bytes:
    """Return the bytes on the wire; every 02 after the start byte is doubled, also inside the checksums."""
    body = bytes((frame.command, frame.to, frame.sender, len(frame.parameters))) + frame.parameters
    return bytes((START,)) + (body + checksums(body)).replace(b"\x02", b"\x02\x02")


class Decoder:
    """Finds frames in a stream of bytes and counts what was damaged.

    A frame may start with one 02 or two; a lone 02 inside a frame starts over.
    """

    def __init__(self) -> None:
        self.num_frames = 0
        self.num_bad_checksums = 0
        self.num_resynchronised = 0
        self._body: bytearray | None = None
        self._start_pending = False

    def reset(self) -> None:
        """Forget an unfinished frame; the counters stay."""
        self._body = None
        self._start_pending = False

    def feed(self, stream: bytes) -> list[Frame]:
        """Return the frames that ``stream`` completes."""
        found = []
        for byte in stream:
            frame = self._take(byte)
            if frame is not None:
                found.append(frame)
        return found

    def _take(self, byte: int) -> Frame | None:
        if not self._start_pending:
            if byte == START:
                self._start_pending = True
                return None
        else:
            self._start_pending = False
            if byte == START and self._body is None:  # the variant that sends the start byte twice
                self._body = bytearray()
                return None
            if byte != START:
                self.num_resynchronised += self._body is not None and len(self._body) > 0
                self._body = bytearray()
        if self._body is None:
            return None  # noise between frames
        self._body.append(byte)
        return self._finished()

    def _finished(self) -> Frame | None:
        body = self._body
        if body is None or len(body) < _NUM_HEADER_BYTES:
            return None
        if len(body) < _NUM_HEADER_BYTES + body[3] + _NUM_CHECKSUM_BYTES:
            return None
        self._body = None
        content, sums = bytes(body[:-_NUM_CHECKSUM_BYTES]), bytes(body[-_NUM_CHECKSUM_BYTES:])
        if checksums(content) != sums:
            self.num_bad_checksums += 1
            return None
        self.num_frames += 1
        return Frame(content[0], content[1], content[2], content[_NUM_HEADER_BYTES:])


def raw_counts(answer: Frame) -> RawCounts:
    """Return the counts that an answer to ReadRaw carries.

    Raises
    ------
    LorenzProtocolError
        If the load cell refused, or the answer is of another kind or length.
    """
    if answer.command == Command.REFUSED:
        code = answer.parameters[0] if answer.parameters else -1
        raise LorenzProtocolError(
            f"The load cell refused ReadRaw with error {code} ({_REFUSALS.get(code, 'unknown')}). "
            "Check its model and firmware."
        )
    if answer.command != Command.READ_RAW or len(answer.parameters) != _RAW_ANSWER.size:
        raise LorenzProtocolError(
            f"ReadRaw was answered by command {answer.command:#04x} with {len(answer.parameters)} bytes, not by "
            f"{Command.READ_RAW:#04x} with {_RAW_ANSWER.size}. Check the load cell's model."
        )
    raw_0, raw_1, calibrated_0, calibrated_1, _ = _RAW_ANSWER.unpack(answer.parameters)
    return RawCounts((raw_0, raw_1), (calibrated_0, calibrated_1))
