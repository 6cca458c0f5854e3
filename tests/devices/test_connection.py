"""A server that dies while devices connect, and comes back, costs nothing but time."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from epics.ca import ChannelAccessGetFailure

from devices.connection import DeviceConnectionError, connect


class DyingSignal:
    """Connects after its server has died ``num_deaths`` times while it was asked for units."""

    SUB_META = "meta"

    def __init__(self, num_deaths: int) -> None:
        self.name = self.pvname = "SIM:guard:STATE"
        self.num_deaths, self.subscribed = num_deaths, False

    def wait_for_connection(self, *, timeout: float) -> None:
        assert timeout > 0
        if self.num_deaths > 0:
            self.num_deaths -= 1
            raise ChannelAccessGetFailure("Get failed; status code: 192", 1, 192)

    def subscribe(self, *_: Any, **__: Any) -> None:
        self.subscribed = True


class Cell:
    name = "cell"

    def __init__(self, signal: DyingSignal) -> None:
        self._signal = signal

    def walk_signals(self, *, include_lazy: bool) -> Iterator[Any]:
        assert include_lazy
        yield SimpleNamespace(item=self._signal)


def test_a_server_that_died_while_it_was_asked_for_units_is_waited_for() -> None:
    signal = DyingSignal(num_deaths=3)
    connect([Cell(signal)], timeout_s=5.0)
    assert signal.subscribed


def test_one_that_does_not_come_back_is_named_in_a_sentence() -> None:
    with pytest.raises(DeviceConnectionError, match=r"cell: .*did not connect within 0\.1 s"):
        connect([Cell(DyingSignal(num_deaths=10**9))], timeout_s=0.1)
