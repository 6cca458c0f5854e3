"""The byte frames of a Lorenz load cell, as the instrument sends and understands them.

References
----------
Duckle29/LorenzTelegram (BSD-3-Clause), tested by its author on an LCV-USB2.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

STX = 0x02
HOST = 0xFF
CELL = 0x01
BROADCAST = 0x00
HEADER_LENGTH = 4  # command, to, sender, number of parameters


class Command(IntEnum):
    """Commands and answers."""

    ACKNOWLEDGED = 0x06
    REFUSED = 0x15
    HELLO = 0x40
    READ_RAW = 0x41
    READ_STATUS_SHORT = 0x43
    READ_CONFIG = 0x44


class Refusal(IntEnum):
    """Why a command is refused."""

    BAD_SIZE = 40
    BAD_COMMAND = 41
    BAD_CHECKSUM = 42
    BAD_PARAMETER = 43
    BAD_ADDRESS = 44


@dataclass(frozen=True)
class Telegram:
    """One frame without start byte, stuffing and checksums."""

    command: int
    to: int
    sender: int
    parameters: bytes = b""

    def encoded(self) -> bytes:
        """Return the bytes on the wire."""
        body = bytes([self.command, self.to, self.sender, len(self.parameters)]) + self.parameters
        return bytes([STX]) + (body + checksums(body)).replace(b"\x02", b"\x02\x02")


def checksums(body: bytes) -> bytes:
    """Return the sum of all bytes and the sum of its running values, the second with end-around carry."""
    plain = weighted = 0
    for byte in body:
        plain = (plain + byte) & 0xFF
        weighted += plain
        if weighted > 0xFF:
            weighted += 1
        weighted &= 0xFF
    return bytes([plain, weighted])


class TelegramReader:
    """Finds telegrams in a stream of bytes; a lone start byte inside one begins anew."""

    def __init__(self) -> None:
        self._body = bytearray()
        self._inside = False
        self._start_pending = False
        self.num_damaged = 0

    def received(self, data: bytes) -> Iterator[Telegram]:
        """Yield the telegrams that ``data`` completes; damaged ones are counted and left out."""
        for byte in data:
            if byte == STX and not self._start_pending:
                self._start_pending = True
                continue
            if self._start_pending:
                self._start_pending = False
                if byte != STX or not self._inside:  # a start byte; one variant of the device sends it twice
                    self._body, self._inside = bytearray(), True
                    if byte == STX:
                        continue
            if self._inside:
                self._body.append(byte)
                if self._is_whole():
                    self._inside = False
                    yield from self._checked()

    def _is_whole(self) -> bool:
        return len(self._body) > HEADER_LENGTH and len(self._body) == HEADER_LENGTH + self._body[3] + 2

    def _checked(self) -> Iterator[Telegram]:
        body, found = bytes(self._body[:-2]), bytes(self._body[-2:])
        if checksums(body) == found:
            yield Telegram(body[0], body[1], body[2], body[HEADER_LENGTH:])
        else:
            self.num_damaged += 1
