"""One time for everything that waits or stamps: the host's at a beamline, a shared virtual one in a rehearsal."""

import contextlib
import heapq
import json
import mmap
import socket
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol

SILENCE_S = 0.5  # a participant of a rehearsal that says nothing for so long lets the clock run in real time
HEARTBEAT_S = 0.1


class ClockError(RuntimeError):
    """The rehearsal's clock is gone or answers nonsense."""


class Clock(Protocol):
    """Seconds since the Unix epoch, and waiting for them."""

    def now(self) -> float:
        """Return the present time, in s since the Unix epoch."""

    def steady(self) -> float:
        """Return s of which only differences count: how long something lasts, free of steps of the host's clock."""

    def sleep_until(self, deadline_s: float) -> float:
        """Block until ``deadline_s``; return the time then."""

    def timer(self, deadline_s: float) -> "Future[float]":
        """Return a future that is done at ``deadline_s``; cancel it to wait no longer."""

    def close(self) -> None:
        """Give back threads and connections."""


def kept_near(clock: Clock, deadline_s: float, longest_s: float) -> float:
    """Return ``deadline_s``, or ``longest_s`` from now where it lies beyond that: the host's clock was set back."""
    now_s = clock.now()
    return now_s + longest_s if deadline_s - now_s > longest_s else deadline_s


class SystemClock:
    """The host's clock. Waits are measured by its monotonic one: a step of the time of day must hold nobody up."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Future[float]]] = []  # by the monotonic clock
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._count = 0
        self._closed = False

    def now(self) -> float:
        """Return the host's time, in s since the Unix epoch."""
        return time.time()

    def steady(self) -> float:
        """Return the host's monotonic time, in s."""
        return time.monotonic()

    def sleep_until(self, deadline_s: float) -> float:
        """Block until ``deadline_s``; return the time then."""
        until_s = time.monotonic() + deadline_s - time.time()
        while (left_s := until_s - time.monotonic()) > 0:
            time.sleep(min(left_s, 60.0))
        return time.time()

    def timer(self, deadline_s: float) -> "Future[float]":
        """Return a future that is done at ``deadline_s``."""
        future: Future[float] = Future()
        until_s = time.monotonic() + deadline_s - time.time()
        with self._changed:
            self._count += 1
            heapq.heappush(self._due, (until_s, self._count, future))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="clock", daemon=True)
                self._thread.start()
            self._changed.notify()
        return future

    def close(self) -> None:
        """End the timer thread; pending timers are cancelled."""
        with self._changed:
            self._closed = True
            for _, _, future in self._due:
                future.cancel()
            self._due.clear()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._closed and (not self._due or self._due[0][0] > time.monotonic()):
                    self._changed.wait(min(self._due[0][0] - time.monotonic(), 60.0) if self._due else None)
                if self._closed:
                    return
                _, _, future = heapq.heappop(self._due)
            if future.set_running_or_notify_cancel():
                future.set_result(time.time())


class ClockPage:
    """A page of memory shared by all processes of a rehearsal: virtual = base + rate x (monotonic - reference).

    The conductor in the simulated beamline is its only writer; a counter that is odd during a write lets readers
    see one consistent state.
    """

    _LAYOUT = struct.Struct("<Qddd")

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if create:
            path.write_bytes(bytes(mmap.PAGESIZE))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self._count = 0

    def write(self, base_s: float, rate: float) -> None:
        """Let virtual time be ``base_s`` now and go on at ``rate`` (0 stands still, 1 is real time)."""
        values = base_s, time.monotonic(), rate
        self._LAYOUT.pack_into(self._page, 0, self._count + 1, *values)
        self._count += 2
        self._LAYOUT.pack_into(self._page, 0, self._count, *values)

    @property
    def written_s(self) -> float:
        """The virtual time that was written last; time that has run by itself since is not counted."""
        return float(self._LAYOUT.unpack_from(self._page, 0)[1])

    def now(self) -> float:
        """Return the virtual time, in s since the Unix epoch."""
        while True:
            count, base_s, reference_s, rate = self._LAYOUT.unpack_from(self._page, 0)
            if count % 2 == 0 and self._LAYOUT.unpack_from(self._page, 0)[0] == count:
                return float(base_s + rate * (time.monotonic() - reference_s))

    def close(self) -> None:
        """Unmap the page."""
        self._page.close()


class RehearsalClock:
    """A participant's end of the rehearsal's clock.

    Virtual time moves on only while every participant waits here. Between a wait's end and the next wait it stands
    still, as long as the participant shows that it lives: call :meth:`alive` at least every ``HEARTBEAT_S`` from the
    loop whose health matters. A participant has one wait at a time: a new one replaces the old.
    """

    def __init__(self, address: tuple[str, int], page: Path, *, role: str, join: bool = True) -> None:
        self._page = ClockPage(page)
        self._socket = socket.create_connection(address, timeout=10.0)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(None)
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._pending: tuple[int, Future[float]] | None = None
        self._number = 0
        self._lost_at: tuple[float, float] | None = None
        self._free = False
        self._real_time = SystemClock()
        self._acknowledged = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._listen, name="rehearsal-clock", daemon=True)
        self._thread.start()
        self._role = role
        if join:
            self.join()

    def join(self) -> None:
        """Become one of those for whom time waits; from here on show that you live."""
        self._send(operation="join", role=self._role)
        self._await_acknowledgement("join")

    @property
    def lost(self) -> bool:
        """Whether the conductor is gone; time then goes on in real time from where it was."""
        return self._lost_at is not None

    @property
    def runs_freely(self) -> bool:
        """Whether time ran by itself at the end of the last wait: somebody is gone, or silent for too long."""
        return self._free or self.lost

    def now(self) -> float:
        """Return the virtual time, in s since the Unix epoch."""
        if self._lost_at is None:
            return self._page.now()
        virtual_s, monotonic_s = self._lost_at
        return virtual_s + time.monotonic() - monotonic_s

    def steady(self) -> float:
        """Return the virtual time: nobody sets it."""
        return self.now()

    def timer(self, deadline_s: float) -> "Future[float]":
        """Return a future that is done at ``deadline_s``; until then this participant counts as waiting.

        It is done earlier when time begins to run by itself: look at the clock, and wait again for what is left.
        """
        future: Future[float] = Future()
        with self._lock:
            if self._lost_at is not None:
                return self._real_time.timer(time.time() + deadline_s - self.now())
            self._number += 1
            number = self._number
            previous, self._pending = self._pending, (number, future)
        if previous is not None:
            previous[1].cancel()
        self._send(operation="wait", number=number, until=deadline_s)
        return future

    def sleep_until(self, deadline_s: float) -> float:
        """Block until ``deadline_s``; return the time then."""
        while self.now() < deadline_s:
            self.timer(deadline_s).result()
        return self.now()

    def busy(self) -> None:
        """End this participant's wait now; return when the conductor knows it.

        Call it when something other than the clock gave this participant work, so that time stands still meanwhile.
        """
        with self._lock:
            previous, self._pending = self._pending, None
        if previous is not None:
            previous[1].cancel()
        self._send(operation="busy")
        self._await_acknowledgement("busy")

    def alive(self) -> None:
        """Tell the conductor that this participant works and is not stuck."""
        self._send(operation="alive")

    def close(self) -> None:
        """Leave the rehearsal; time no longer waits for this participant."""
        self._send(operation="leave")
        with contextlib.suppress(OSError):  # the conductor is gone already, which is what leaving asks for
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(2.0)
        self._real_time.close()

    def _await_acknowledgement(self, operation: str) -> None:
        if self._lost_at is not None:
            return
        if not self._acknowledged.acquire(timeout=10.0):
            raise ClockError(f"The rehearsal's clock did not answer '{operation}' within 10 s: is the simulator alive?")

    def _send(self, **message: object) -> None:
        with contextlib.suppress(OSError), self._sending:  # the listener notices the loss and time goes on without it
            self._socket.sendall(json.dumps(message).encode() + b"\n")

    def _listen(self) -> None:
        with contextlib.suppress(OSError, ValueError), self._socket.makefile("rb") as lines:
            for line in lines:
                self._received(json.loads(line))
        with self._lock:
            self._lost_at = (self._page.now(), time.monotonic())
            pending, self._pending = self._pending, None
        self._acknowledged.release()
        if pending is not None and pending[1].set_running_or_notify_cancel():
            pending[1].set_result(self.now())  # early: whoever waits looks at the clock again and goes on in real time

    def _received(self, message: dict[str, object]) -> None:
        if message.get("answer") == "acknowledged":
            self._acknowledged.release()
            return
        with self._lock:
            if self._pending is None or self._pending[0] != message.get("number"):
                return  # answer to a wait that was replaced
            _, future = self._pending
            self._pending = None
            self._free = bool(message.get("free"))
        if future.set_running_or_notify_cancel():
            future.set_result(float(str(message["now"])))


class Pulse:
    """Calls ``RehearsalClock.alive`` from a loop of one's own choice: ``schedule(delay_s, callable)``."""

    def __init__(self, clock: Clock, schedule: Callable[[float, Callable[[], None]], object]) -> None:
        self._clock = clock
        self._schedule = schedule
        self._stopped = not isinstance(clock, RehearsalClock)
        self._beat()

    def stop(self) -> None:
        """Beat no more."""
        self._stopped = True

    def _beat(self) -> None:
        if self._stopped or not isinstance(self._clock, RehearsalClock):
            return
        self._clock.alive()
        self._schedule(HEARTBEAT_S, self._beat)
