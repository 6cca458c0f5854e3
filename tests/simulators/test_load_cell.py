import os
import pty
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from operando.model.beamline import load_beamline
from simulators.dummy_cell import FORCE_N
from simulators.load_cell import NOISE_N
from simulators.lorenz_telegram import CELL, HOST, Command, Telegram, TelegramReader

PLUGGED = """
import asyncio, sys, types
from pathlib import Path
from simulators.load_cell import LoadCell

async def plugged():
    LoadCell(Path(sys.argv[1]), types.SimpleNamespace(now=lambda: 0.0), lambda time_s: 0.0, seed=0).plug()
    print("READY", flush=True)
    await asyncio.Event().wait()

asyncio.run(plugged())
"""


@pytest.fixture
def port(beamline: Path) -> Iterator[serial.Serial]:
    with serial.Serial(load_beamline(beamline).load_cell.port, 115200, timeout=2) as port:
        yield port


def ask(port: serial.Serial, request: bytes) -> Telegram:
    port.write(request)
    reader = TelegramReader()
    while received := port.read(1):
        for telegram in reader.received(received):
            return telegram
    raise AssertionError("no answer within 2 s")


def test_a_reading_through_the_files_calibration_is_the_force(beamline: Path, port: serial.Serial) -> None:
    answer = ask(port, bytes.fromhex("02 41 01 ff 00 41 06"))
    assert (answer.command, answer.to, answer.sender, len(answer.parameters)) == (0x41, HOST, CELL, 9)
    _, _, calibrated, _ = struct.unpack(">hhhh", answer.parameters[:8])
    calibration = load_beamline(beamline).load_cell.calibration
    slope = (calibration.force_n[1] - calibration.force_n[0]) / (calibration.counts[1] - calibration.counts[0])
    force_n = calibration.force_n[0] + slope * (calibrated - calibration.counts[0])
    assert force_n == pytest.approx(FORCE_N, abs=6 * NOISE_N), "six standard deviations and a digit"


def test_hello_status_and_configuration_are_answered(port: serial.Serial) -> None:
    assert ask(port, bytes.fromhex("02 40 01 ff 00 40 02 02")).command == Command.HELLO
    assert ask(port, bytes.fromhex("02 43 01 ff 00 43 0e")).parameters == b"\x00"
    configuration = ask(port, bytes.fromhex("02 44 01 ff 01 80 c5 d8"))
    assert configuration.parameters[0] == 128
    assert len(configuration.parameters) == 33


def test_an_unknown_command_is_refused_with_its_reason(port: serial.Serial) -> None:
    answer = ask(port, Telegram(0x4B, CELL, HOST).encoded())
    assert (answer.command, answer.parameters) == (Command.REFUSED, bytes([41]))


def test_an_unread_port_never_blocks_the_instrument(port: serial.Serial) -> None:
    port.write_timeout = 5
    for _ in range(60):  # 60 x 50 answers of 16 bytes and more are ten times what the terminal holds
        port.write(bytes.fromhex("02 41 01 ff 00 41 06") * 50)
    port.reset_input_buffer()
    while port.read(4096):
        pass
    assert ask(port, bytes.fromhex("02 40 01 ff 00 40 02 02")).command == Command.HELLO


def test_the_link_of_a_killed_beamline_leads_to_nobody_elses_load_cell(tmp_path: Path) -> None:
    link = tmp_path / "load_cell"
    arguments = [sys.executable, "-c", PLUGGED, str(link)]
    beamline = subprocess.Popen(arguments, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True)
    assert beamline.stdout is not None
    with beamline.stdout:
        assert beamline.stdout.readline() == "READY\n"
        serial.Serial(str(link), 115200).close()
        terminal = os.path.realpath(link)
        beamline.kill()
        beamline.wait(10)
    taken: list[tuple[int, int]] = []
    try:
        while terminal not in [os.ttyname(port) for _, port in taken]:  # somebody else is given the terminal's name
            assert len(taken) < 200, f"{terminal} is not given out again"
            taken.append(pty.openpty())
        with pytest.raises(serial.SerialException):
            serial.Serial(str(link), 115200)
    finally:
        for end in (end for pair in taken for end in pair):
            os.close(end)
