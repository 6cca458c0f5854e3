"""A reserve begins when it is told to, and never outlives whoever it waits for."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from operando.session.reserve import Reserve

WAITING = "import sys; word = sys.stdin.readline(); print('begun' if word else 'ended', flush=True)"
LONGEST_S = 20.0  # to start an interpreter and to end it, on a busy computer


@pytest.fixture
def launched() -> "Iterator[list[subprocess.Popen[bytes]]]":
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


@pytest.fixture
def reserve(launched: "list[subprocess.Popen[bytes]]") -> Reserve:
    def launch() -> "subprocess.Popen[bytes]":
        launched.append(
            subprocess.Popen([sys.executable, "-c", WAITING], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        )
        return launched[-1]

    return Reserve(launch)


def test_it_begins_when_it_is_told_to(reserve: Reserve, launched: "list[subprocess.Popen[bytes]]") -> None:
    reserve.load()
    assert reserve.waits
    begun = reserve.begin()
    assert begun is launched[0]
    assert not reserve.waits
    assert begun.stdout is not None
    assert begun.stdout.read() == b"begun\n"


def test_it_ends_when_its_standard_input_is_closed_as_by_the_death_of_its_parent(
    reserve: Reserve, launched: "list[subprocess.Popen[bytes]]"
) -> None:
    reserve.load()
    said, _ = launched[0].communicate(timeout=LONGEST_S)  # closes it
    assert said == b"ended\n"


def test_one_that_has_died_begins_nothing_and_another_can_be_loaded(
    reserve: Reserve, launched: "list[subprocess.Popen[bytes]]"
) -> None:
    reserve.load()
    launched[0].kill()
    launched[0].wait(LONGEST_S)
    assert not reserve.waits
    assert reserve.begin() is None
    reserve.load()
    assert reserve.begin() is launched[1]


def test_one_that_is_dismissed_is_gone(reserve: Reserve, launched: "list[subprocess.Popen[bytes]]") -> None:
    reserve.load()
    reserve.dismiss()
    assert launched[0].returncode is not None
    assert reserve.begin() is None
