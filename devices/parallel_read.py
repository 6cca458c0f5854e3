"""Reads several process variables with all requests outstanding at once: one round trip instead of one each."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from epics import ca

from devices.unsent_gets import forget_unsent_gets

INVALID_SEVERITY = 3  # the IOC itself says that the value means nothing
NAP_SHARE = 0.7  # of the time the last answers took: pyepics asks every 10 us whether they are there
LONGEST_NAP_S = 5e-3


@dataclass(frozen=True)
class ReadValue:
    """A number as the server holds it, with its alarm severity and time stamp (s since the Unix epoch)."""

    value: float
    severity: int
    time_s: float


class ParallelReader:
    """Explicit gets, never the last monitored value, of a fixed set of process variables.

    Use it from the thread that made it.
    """

    def __init__(self, pv_names: Sequence[str]) -> None:
        self.pv_names = tuple(pv_names)
        self._took_s = 0.0
        self._channels = {name: ca.create_channel(name, connect=False, auto_cb=True) for name in self.pv_names}

    def connected(self, timeout_s: float, *, needed: Collection[str]) -> tuple[str, ...]:
        """Return the names that are connected, after waiting for those ``needed`` up to ``timeout_s`` (real time)."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            found = tuple(name for name, channel in self._channels.items() if ca.isConnected(channel))
            if set(needed) <= set(found) or time.monotonic() > deadline_s:
                return found
            ca.poll(1e-3)

    def server_of(self, name: str) -> str:
        """Return host and port at which a connected variable answers."""
        return str(ca.host_name(self._channels[name]))

    def all_connected(self, needed: Collection[str]) -> bool:
        """Whether the circuits of ``needed`` stand, as far as the last read saw: a dead server's are gone."""
        return all(ca.isConnected(self._channels[name]) for name in needed)

    def read(self, timeout_s: float) -> dict[str, ReadValue | None]:
        """Return the present values; ``None`` for a variable that is not connected or did not answer in time.

        ``timeout_s`` is real time and holds for all of them together.
        """
        asked = {}
        for name, channel in self._channels.items():
            if ca.isConnected(channel):
                kind = ca.promote_type(channel, use_time=True)
                try:
                    ca.get_with_metadata(channel, ftype=kind, count=1, wait=False)
                except ca.CASeverityException:  # the circuit broke since it was asked
                    forget_unsent_gets(name)
                else:
                    asked[name] = channel, kind
        ca.flush_io()
        asked_s = time.monotonic()
        if nap_s := min(NAP_SHARE * self._took_s, LONGEST_NAP_S):
            ca.pend_event(nap_s)
        deadline_s = asked_s + timeout_s
        values: dict[str, ReadValue | None] = dict.fromkeys(self._channels)
        for name, (channel, kind) in asked.items():
            left_s = max(deadline_s - time.monotonic(), 0.0)
            values[name] = self._answer(channel, kind, left_s)
        self._took_s = time.monotonic() - asked_s
        return values

    @staticmethod
    def _answer(channel: object, kind: int, left_s: float) -> ReadValue | None:
        try:
            answer = ca.get_complete_with_metadata(channel, ftype=kind, count=1, timeout=left_s)
        except (ca.ChannelAccessException, ca.ChannelAccessGetFailure):
            return None
        if answer is None:
            return None
        return ReadValue(float(answer["value"]), int(answer["severity"]), float(answer["timestamp"]))
