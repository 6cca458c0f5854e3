import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.lorenz_telegram import CELL, HOST, Command, Telegram, TelegramReader

# Published vectors: Duckle29/LorenzTelegram, LCV-USB2.
VECTORS = {
    "02 40 01 ff 00 40 02 02": Telegram(Command.HELLO, CELL, HOST),
    "02 41 01 ff 00 41 06": Telegram(Command.READ_RAW, CELL, HOST),
    "02 43 01 ff 00 43 0e": Telegram(Command.READ_STATUS_SHORT, CELL, HOST),
    "02 44 01 ff 01 80 c5 d8": Telegram(Command.READ_CONFIG, CELL, HOST, bytes([128])),
    "02 5a 01 ff 05 03 31 00 00 41 d4 61": Telegram(0x5A, CELL, HOST, b"\x03\x31\x00\x00A"),
    "02 41 ff 01 09 02 02 02 02 02 02 02 02 27 10 27 10 00 c0 7f": Telegram(
        Command.READ_RAW, HOST, CELL, struct.pack(">hhhhB", 0x0202, 0x0202, 10_000, 10_000, 0)
    ),
}


@pytest.mark.parametrize("text", VECTORS)
def test_published_vectors_are_written_and_read(text: str) -> None:
    assert VECTORS[text].encoded() == bytes.fromhex(text)
    assert list(TelegramReader().received(bytes.fromhex(text))) == [VECTORS[text]]


@given(st.binary(max_size=33), st.binary(max_size=8))
def test_a_telegram_is_found_after_noise_and_whatever_its_bytes(parameters: bytes, noise: bytes) -> None:
    telegram = Telegram(Command.READ_CONFIG, HOST, CELL, parameters)
    reader = TelegramReader()
    assert list(reader.received(telegram.encoded())) == [telegram]
    # Noise may hold a start byte and a length that swallow the first telegram, never all of many.
    found = list(reader.received(noise.replace(b"\x02", b"") + telegram.encoded()))
    assert found == [telegram]


def test_a_damaged_telegram_is_counted_and_the_next_one_found() -> None:
    whole = Telegram(Command.READ_RAW, CELL, HOST).encoded()
    damaged = bytes([*whole[:-1], whole[-1] ^ 1])
    reader = TelegramReader()
    assert list(reader.received(damaged + whole)) == [Telegram(Command.READ_RAW, CELL, HOST)]
    assert reader.num_damaged == 1


def test_a_telegram_cut_short_does_not_hide_the_next_one() -> None:
    whole = Telegram(Command.READ_CONFIG, CELL, HOST, bytes([128])).encoded()
    assert list(TelegramReader().received(whole[:5] + whole)) == [
        Telegram(Command.READ_CONFIG, CELL, HOST, bytes([128]))
    ]
