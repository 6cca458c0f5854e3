"""A command to the guard is answered, also when the guard was killed after it had received it."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from ophyd import EpicsSignal, EpicsSignalRO
from ophyd.sim import FakeEpicsSignalRO, fake_device_cache, make_fake_device

from devices import cell as cell_module
from devices.cell import Cell, GuardReading

fake_device_cache[GuardReading] = FakeEpicsSignalRO


class Guards:
    """One guard after another behind fake process variables; they receive what is sent and answer when told."""

    def __init__(self, cell: Any) -> None:
        self.cell = cell
        self.sent: list[str] = []
        self.start()
        cell.command_text.subscribe(self._receive, run=False)

    def start(self) -> None:
        self.cell.command_received.sim_put("")
        self.cell.last_command.sim_put("")

    def _receive(self, *, value: str, **_: object) -> None:
        if value:
            self.sent.append(json.loads(value)["id"])
            self.cell.command_received.sim_put(json.dumps({"id": self.sent[-1]}))

    def answer(self) -> None:
        self.cell.last_command.sim_put(json.dumps({"id": self.sent[-1], "outcome": "done", "reason": ""}))


def test_the_next_guard_is_sent_a_command_that_died_with_the_last_one() -> None:
    cell = make_fake_device(Cell)("G:", name="cell", token="secret")
    guards = Guards(cell)
    status = cell.command("rest", {"step": "rest", "duration_s": 60.0})
    cell.check_answer()
    assert len(guards.sent) == 1  # it is at work on it
    guards.start()
    cell.check_answer()
    assert len(guards.sent) == 2
    assert guards.sent[0] == guards.sent[1]  # so that a guard that knows its answer does not do it twice
    guards.answer()
    cell.check_answer()
    status.wait(5)
    guards.start()
    cell.check_answer()
    assert len(guards.sent) == 2


def test_a_guard_that_is_being_restarted_is_waited_for_and_one_that_is_gone_only_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from epics.ca import CASeverityException  # after ophyd, which says which libca it means

    answers: list[float | Exception] = []

    def get(_: GuardReading, **__: Any) -> float:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(EpicsSignalRO, "get", get)
    cell = Cell("NOBODY:", name="cell", token="secret")
    answers += [TimeoutError("gone"), CASeverityException("get", "Virtual circuit disconnect"), 1.7]
    assert cell.voltage.get(use_monitor=False) == 1.7
    monkeypatch.setattr(cell_module, "RECONNECT_S", 0.0)
    answers += [TimeoutError("gone")]
    with pytest.raises(TimeoutError):
        cell.voltage.get(use_monitor=False)
    monkeypatch.setattr(cell_module, "RECONNECT_S", 1e9)
    answers += [TimeoutError("gone")]
    with pytest.raises(TimeoutError):
        cell.voltage.get(use_monitor=False)
    answers += [1.6, TimeoutError("gone again"), 1.5]
    assert cell.voltage.get(use_monitor=False) == 1.6
    assert cell.voltage.get(use_monitor=False) == 1.5
    cell.destroy()


def test_a_command_waits_long_for_a_guard_until_it_has_waited_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    from epics.ca import CASeverityException  # after ophyd, which says which libca it means

    now_s, patiences_s = [0.0], list[float]()
    died = [CASeverityException("put", "Virtual circuit disconnect")]

    def put(_: EpicsSignal, __: str, *, connection_timeout: float, **___: Any) -> None:
        patiences_s.append(connection_timeout)
        if died:
            raise died.pop()  # at the moment of the put: it is being restarted
        now_s[0] += connection_timeout
        raise TimeoutError("gone")

    monkeypatch.setattr(EpicsSignal, "put", put)
    monkeypatch.setattr(cell_module, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    cell = Cell("NOBODY:", name="cell", token="secret")
    for _ in range(4):
        with pytest.raises((TimeoutError, CASeverityException)):
            cell.command("open_circuit")
    long_s, short_s = cell_module.RECONNECT_S, cell_module.GIVEN_UP_S
    assert patiences_s == [long_s, long_s, short_s, short_s]
    cell.destroy()
