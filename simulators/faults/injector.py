"""Begins and ends faults when their time has come, and writes down what was done and when."""

import asyncio
import inspect
import itertools
import logging
import re
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from operando.model.clock import SystemClock
from operando.model.json_lines import JsonLinesWriter
from simulators.faults.fault import End, Fault, Instruments, Scene
from simulators.faults.moment import AtFrame, AtTime, AtWallTime

_SERIES = re.compile(r"(\d+)_(\w+)")
_log = logging.getLogger(__name__)


class Injector:
    """All faults of one simulated beamline.

    Parameters
    ----------
    instruments
        What is disturbed.
    journal
        Takes one line for every fault that is asked for, begins, does something, or ends: ``id``, ``event``,
        ``time_s`` on the rehearsal's clock and ``wall_s`` on the host's.
    epoch_s
        When the rehearsal began, on its own clock.
    seed
        Of whatever a fault draws by chance.
    """

    def __init__(self, instruments: Instruments, journal: JsonLinesWriter, *, epoch_s: float, seed: int) -> None:
        self._instruments = instruments
        self._journal = journal
        self._epoch_s = epoch_s
        self._seed = seed
        self._ids = itertools.count(1)
        self._host = SystemClock()
        self._at_frames: list[tuple[int, AtFrame, Fault]] = []
        self._at_wall_times: list[tuple[int, float, Fault]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._counted: tuple[str, int] = "", 0
        instruments.frames.before_each = self._frame_has_come

    async def inject(self, faults: Iterable[Fault]) -> list[int]:
        """Have faults begin when they should, some of them at once; return their ids."""
        return [await self._inject(fault) for fault in faults]

    async def count_wall_time(self) -> None:
        """Begin the faults of the host's clock, whose zero is the first moment at which virtual time may move."""
        await self._instruments.conductor.begun.wait()
        for number, after_s, fault in self._at_wall_times:
            self._later(after_s, number, fault)
        self._at_wall_times = []

    def close(self) -> None:
        """Begin and end nothing more."""
        for task in self._tasks:
            task.cancel()
        self._journal.close()

    async def _inject(self, fault: Fault) -> int:
        number, conductor = next(self._ids), self._instruments.conductor
        self._write(number, "asked", fault=fault.model_dump(exclude={"at"}), at=asdict(fault.at))
        if isinstance(fault.at, AtFrame):
            self._at_frames.append((number, fault.at, fault))
        elif isinstance(fault.at, AtWallTime):
            if conductor.begun.is_set():
                self._later(fault.at.time_s, number, fault)
            else:
                self._at_wall_times.append((number, fault.at.time_s, fault))
        elif isinstance(fault.at, AtTime) and self._epoch_s + fault.at.time_s > conductor.now():

            async def begin() -> None:
                await self._begin(number, fault)

            conductor.at(self._epoch_s + fault.at.time_s, begin)
        else:
            await self._begin(number, fault)
        return number

    def _later(self, after_s: float, number: int, fault: Fault) -> None:
        async def begin() -> None:
            await asyncio.sleep(after_s)
            with self._instruments.conductor.working():
                await self._begin(number, fault)

        self._keep(asyncio.create_task(begin()))

    def _keep(self, task: "asyncio.Task[None]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _frame_has_come(self) -> None:
        file = self._instruments.hdf5.open_file
        found = None if file is None else _SERIES.fullmatch(file.stem)
        if file is None or found is None:
            return
        name, count = self._counted
        self._counted = file.stem, count + 1 if name == file.stem else 1
        attempt, kind = found.groups()
        for waiting in tuple(self._at_frames):
            number, at, fault = waiting
            if at.kind == kind and at.number == self._counted[1] and at.attempt in (None, int(attempt)):
                self._at_frames.remove(waiting)
                await self._begin(number, fault)

    async def _begin(self, number: int, fault: Fault) -> None:
        conductor = self._instruments.conductor

        def tell(**details: Any) -> None:
            self._write(number, "did", **details)

        self._write(number, "begun")
        try:
            end = await fault.begin(Scene(self._instruments, tell, np.random.default_rng((self._seed, number))))
        except Exception:
            _log.exception("Fault %d could not be injected; the rehearsal goes on without it.", number)
            self._write(number, "failed")
            return
        if end is None:
            return

        async def ended() -> None:
            await self._end(number, end)

        if fault.lasts_s is not None:
            conductor.at(conductor.now() + fault.lasts_s, ended)
        elif fault.lasts_wall_s is not None:
            lasts_s = fault.lasts_wall_s

            async def later() -> None:
                await asyncio.sleep(lasts_s)
                await ended()

            self._keep(asyncio.create_task(later()))

    async def _end(self, number: int, end: End) -> None:
        done = end()
        if inspect.isawaitable(done):
            await done
        self._write(number, "ended")

    def _write(self, number: int, event: str, **details: Any) -> None:
        now_s = self._instruments.conductor.now()
        self._journal.append(
            {"id": number, "event": event, "time_s": now_s, "wall_s": self._host.now(), **details}, durable=False
        )
        self._journal.flush()
