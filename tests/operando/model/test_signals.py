"""Signals are heard whatever the main thread waits for."""

import os
import queue
import signal
import threading
from collections.abc import Iterator

import pytest

from operando.model.signals import SignalWatch

TIMEOUT_S = 10.0


@pytest.fixture
def heard() -> Iterator["queue.SimpleQueue[int]"]:
    numbers: queue.SimpleQueue[int] = queue.SimpleQueue()
    before = signal.getsignal(signal.SIGUSR1), signal.getsignal(signal.SIGUSR2)
    watch = SignalWatch((signal.SIGUSR1, signal.SIGUSR2), numbers.put)
    yield numbers
    watch.close()
    assert (signal.getsignal(signal.SIGUSR1), signal.getsignal(signal.SIGUSR2)) == before


def test_each_signal_is_heard_by_its_number(heard: "queue.SimpleQueue[int]") -> None:
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGUSR1):
        signal.raise_signal(number)
        assert heard.get(timeout=TIMEOUT_S) == number


def test_a_signal_is_heard_while_the_main_thread_waits_for_a_lock(heard: "queue.SimpleQueue[int]") -> None:
    """Another thread gets the signal: nothing wakes the main thread, as no handler of Python's would run."""
    over = threading.Event()
    got: list[int] = []

    def listen() -> None:
        try:
            signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
            got.append(heard.get(timeout=TIMEOUT_S))
        finally:
            over.set()

    threading.Thread(target=listen).start()
    over.wait()
    assert got == [signal.SIGUSR1]


def test_a_descriptor_that_was_there_before_comes_back() -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    before = signal.set_wakeup_fd(write)
    try:
        SignalWatch((signal.SIGUSR1,), lambda _: None).close()
        assert signal.set_wakeup_fd(write) == write
    finally:
        signal.set_wakeup_fd(before)
        os.close(read)
        os.close(write)
