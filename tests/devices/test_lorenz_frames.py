import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.lorenz_frames import (
    HOST,
    LOAD_CELL,
    Command,
    Decoder,
    Frame,
    LorenzProtocolError,
    RawCounts,
    encoded,
    raw_counts,
)

# Published vectors (Duckle29/LorenzTelegram, LCV-USB2).
PUBLISHED = {
    "02 40 01 ff 00 40 02 02": Frame(Command.HELLO, LOAD_CELL, HOST),
    "02 41 01 ff 00 41 06": Frame(Command.READ_RAW, LOAD_CELL, HOST),
    "02 43 01 ff 00 43 0e": Frame(Command.READ_STATUS_SHORT, LOAD_CELL, HOST),
    "02 44 01 ff 01 80 c5 d8": Frame(Command.READ_CONFIGURATION, LOAD_CELL, HOST, b"\x80"),
    "02 5a 01 ff 05 03 31 00 00 41 d4 61": Frame(0x5A, LOAD_CELL, HOST, bytes.fromhex("03 31 00 00 41")),
    "02 41 ff 01 09 02 02 02 02 02 02 02 02 27 10 27 10 00 c0 7f": Frame(
        Command.READ_RAW, HOST, LOAD_CELL, bytes.fromhex("02 02 02 02 27 10 27 10 00")
    ),
}
ANSWER = bytes.fromhex("02 41 ff 01 09 02 02 02 02 02 02 02 02 27 10 27 10 00 c0 7f")

frames = st.builds(
    Frame,
    st.integers(0, 255).filter(lambda command: command != 0x02),  # 02 as a command looks like a doubled start
    st.integers(0, 255),
    st.integers(0, 255),
    st.binary(max_size=40),
)


@pytest.mark.parametrize(("text", "frame"), PUBLISHED.items())
def test_published_bytes_are_written_and_read(text: str, frame: Frame) -> None:
    assert encoded(frame) == bytes.fromhex(text)
    assert Decoder().feed(bytes.fromhex(text)) == [frame]


def test_counts_of_both_channels_are_read() -> None:
    (frame,) = Decoder().feed(ANSWER)
    assert raw_counts(frame) == RawCounts(raw=(0x0202, 0x0202), calibrated=(10_000, 10_000))


@pytest.mark.parametrize(
    "stream",
    [b"\x02" + ANSWER, ANSWER[:7] + ANSWER, b"\x55" + ANSWER, b"\x55\xff\x00" + b"\x02" + ANSWER],
    ids=["doubled start", "cut short and repeated", "after noise", "noise and doubled start"],
)
def test_a_disturbed_stream_still_gives_the_frame(stream: bytes) -> None:
    found = Decoder().feed(stream)
    assert found
    assert raw_counts(found[-1]).calibrated == (10_000, 10_000)


def test_a_restart_inside_a_frame_is_counted() -> None:
    decoder = Decoder()
    decoder.feed(ANSWER[:4] + ANSWER)
    assert decoder.num_resynchronised == 1


def test_a_damaged_frame_is_counted_and_not_returned() -> None:
    damaged = bytearray(ANSWER)
    damaged[14] ^= 1
    decoder = Decoder()
    assert decoder.feed(bytes(damaged)) == []
    assert decoder.num_bad_checksums == 1


@given(st.lists(frames, min_size=1, max_size=4), st.integers(1, 7))
def test_any_frames_survive_the_wire_in_pieces(sent: list[Frame], piece: int) -> None:
    stream = b"".join(encoded(frame) for frame in sent)
    decoder = Decoder()
    found: list[Frame] = []
    for start in range(0, len(stream), piece):
        found += decoder.feed(stream[start : start + piece])
    assert found == sent


@given(st.binary(max_size=60))
def test_after_any_noise_a_second_request_is_answered(noise: bytes) -> None:
    decoder = Decoder()
    decoder.feed(noise)
    decoder.reset()  # as the port does before each request
    assert [raw_counts(frame).calibrated for frame in decoder.feed(ANSWER)] == [(10_000, 10_000)]


def test_a_refusal_is_told_in_words() -> None:
    with pytest.raises(LorenzProtocolError, match="bad checksum"):
        raw_counts(Frame(Command.REFUSED, HOST, LOAD_CELL, bytes([42])))


def test_an_answer_of_another_kind_is_refused() -> None:
    with pytest.raises(LorenzProtocolError, match="not by"):
        raw_counts(Frame(Command.HELLO, HOST, LOAD_CELL, b"\x00"))
