"""What the firmware of an EC-Lab potentiostat does with a sequence of techniques, to the exact moment."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from simulators.potentiostat_cell import Cell
from simulators.potentiostat_technique import (
    ACTIVE,
    TECHNIQUE_ID,
    TESTS,
    ChannelError,
    Code,
    ExitCondition,
    Technique,
    Variable,
)

CURRENT_LIMIT_STEP_S = 1.0  # resolution with which a limit on the current is looked for
AUXILIARY_LIMIT_STEP_S = 10.0  # and one on an auxiliary input: what is wired there changes in minutes
LOOK_AHEAD_S = 60.0  # how far ahead of a held voltage limits are looked for; a whole hold takes long to integrate
AUXILIARY_LOOK_AHEAD_S = 3600.0


@dataclass
class Channel:
    """State of the channel; times are s of the rehearsal's clock.

    ``auxiliary_v`` tells what is wired to the first auxiliary input at any time, also a later one, in V; nothing is
    wired to the second. ``clock_drift`` is how much faster than the rehearsal's clock the instrument's own runs (5e-5
    is 50 ppm). ``technique_begin_s`` is in the instrument's own time.
    """

    cell: Cell
    boot_s: float
    max_current_a: float
    auxiliary_v: Callable[[float], float] = lambda _: 0.0
    clock_offset_s: float = 0.0
    clock_drift: float = 0.0
    running: bool = False
    index: int = 0
    technique_id: int = 0
    technique_begin_s: float = 0.0
    time_base_s: float = 0.0
    num_loops: int = 0
    num_interventions: int = 0
    transition_s: float = math.inf
    _loaded: list[Technique] = field(default_factory=list)
    _loops_done: dict[int, int] = field(default_factory=dict)

    def elapsed_s(self, time_s: float) -> float:
        """Return the instrument's own elapsed time."""
        return self.clock_offset_s + (time_s - self.boot_s) * (1 + self.clock_drift)

    def load(self, sequence: Sequence[Technique]) -> None:
        """Take a sequence.

        Raises
        ------
        ChannelError
            If the channel runs or the sequence cannot be run; nothing is loaded then.
        """
        if self.running:
            raise ChannelError(Code.CHANNEL_RUNNING)
        self._loaded = []
        if not sequence:
            raise ChannelError(Code.BAD_PARAMETERS)
        for index, technique in enumerate(sequence):
            technique.check(index, self.max_current_a)
        self._loaded = list(sequence)

    def names(self) -> list[str]:
        """Return the names of the loaded techniques."""
        return [technique.name for technique in self._loaded]

    def update(self, time_s: float, sequence: Sequence[Technique]) -> None:
        """Change the parameters of the loaded techniques; the running one begins anew with them."""
        for index, technique in enumerate(sequence):
            technique.check(index, self.max_current_a)
        self._loaded = list(sequence)
        if self.running:
            self._enter(time_s, self.index)

    def start(self, time_s: float) -> None:
        """Run what is loaded.

        Raises
        ------
        ChannelError
            If nothing is loaded (also after a stop: load again) or the channel runs.
        """
        if self.running:
            raise ChannelError(Code.CHANNEL_RUNNING)
        if not self._loaded:
            raise ChannelError(Code.NOTHING_LOADED)
        self.running = True
        self.num_loops = 0
        self._loops_done = {}
        self._enter(time_s, 0)

    def stop(self, time_s: float) -> None:
        """Open the circuit and forget the sequence."""
        self._intervene()
        self.cell.open_circuit(time_s)
        self.running = False
        self.transition_s = math.inf
        self._loaded = []

    def meet_limit(self, time_s: float) -> bool:
        """Take the running technique's limit as met now; return whether there is one."""
        if not self.running or "EXITCOND" not in self._loaded[self.index].parameters:
            return False
        self.transition_s, self._ends_by_limit = time_s, True
        return True

    def set_clock(self, time_s: float, *, jump_s: float, drift: float) -> None:
        """Let the instrument's own clock jump now and go on with another drift."""
        elapsed_s = self.elapsed_s(time_s) + jump_s
        self.clock_drift = drift
        self.clock_offset_s += elapsed_s - self.elapsed_s(time_s)

    def advance(self, time_s: float) -> None:
        """Do every change of technique that is due by ``time_s``, each at its own time."""
        while self.running and self.transition_s <= time_s:
            due_s = self.transition_s
            if not self._ends_by_limit and due_s < self._end_s:
                self._look_ahead(due_s)
            elif self._ends_by_limit and self._loaded[self.index].parameters["EXITCOND"] == ExitCondition.STOP:
                self.stop(due_s)
            else:
                self._enter(due_s, self.index + 1)

    def _enter(self, time_s: float, index: int) -> None:
        while index < len(self._loaded) and self._loaded[index].name == "LOOP":
            index = self._after_loop(index)
        if index >= len(self._loaded):
            self.stop(time_s)
            return
        technique = self._loaded[index]
        self.index, self.technique_id = index, TECHNIQUE_ID[technique.name]
        self._intervene()
        p = technique.parameters
        self.technique_begin_s, self.time_base_s = self.elapsed_s(time_s), p["TB"]
        if technique.name == "OCV":
            self.cell.open_circuit(time_s)
            duration_s = p["RTT"]
        else:
            before = self.cell.reading(time_s)
            duration_s = p["DURSTEP"] * (1 + p["NCYCLES"])
            if technique.name in ("CP", "CPLIMIT"):
                self.cell.constant_current(time_s, p["ISTEP"] + (before.current_a if p["VSINIT"] else 0.0))
            else:
                self.cell.constant_voltage(time_s, p["VSTEP"] + (before.voltage_v if p["VSINIT"] else 0.0))
        self._end_s = time_s + duration_s / (1 + self.clock_drift)
        self._look_ahead(time_s)

    def _look_ahead(self, time_s: float) -> None:
        """Foresee the end of the running technique, or up to when none of its limits is met."""
        technique = self._loaded[self.index]
        until_s = min(self._end_s, time_s + _look_ahead_s(technique))
        limit_s = self._first_limit_s(technique, time_s, until_s)
        self._ends_by_limit = limit_s < math.inf
        self.transition_s = min(limit_s, until_s)

    def _after_loop(self, index: int) -> int:
        p = self._loaded[index].parameters
        done = self._loops_done.get(index, 0)
        if done >= p["NLOOP"]:
            self._loops_done[index] = 0
            return index + 1
        self._loops_done[index] = done + 1
        self.num_loops += 1
        return int(p["PROT"])

    def _first_limit_s(self, technique: Technique, begin_s: float, end_s: float) -> float:
        """When the first of the technique's tests is met, infinity if none is before its end."""
        p = technique.parameters
        if technique.name not in ("CPLIMIT", "CALIMIT"):
            return math.inf
        words = {number: int(p[f"TEST{number}CONF"]) for number in TESTS}
        limits = (
            self._limit_s(word, p[f"TEST{number}VAL"], begin_s, end_s)
            for number, word in words.items()
            if word & ACTIVE
        )
        return min((limit_s for limit_s in limits if limit_s is not None), default=math.inf)

    def _limit_s(self, word: int, level: float, begin_s: float, end_s: float) -> float | None:
        """When one limit is reached, None if not before the end; a limit that lies behind trips at once."""
        at_least = bool(word >> 2 & 1)
        if Variable(word >> 5) is Variable.I:
            times = _times(begin_s, end_s, CURRENT_LIMIT_STEP_S)
            return next((s for s in times if _reached(self.cell.reading(s).current_a, level, at_least)), None)
        if Variable(word >> 5) is Variable.AUX1:
            times = _times(begin_s, end_s, AUXILIARY_LIMIT_STEP_S)
            return next((s for s in times if _reached(self.auxiliary_v(s), level, at_least)), None)
        if _reached(self.cell.reading(begin_s).voltage_v, level, at_least):
            return begin_s
        return self.cell.next_crossing(level, rising=at_least, before_s=end_s)

    def _intervene(self) -> None:
        self.num_interventions += 1

    _ends_by_limit: bool = False
    _end_s: float = math.inf


def _look_ahead_s(technique: Technique) -> float:
    """How far ahead the limits of a technique are looked for."""
    if technique.name == "CALIMIT":
        return LOOK_AHEAD_S
    words = [int(technique.parameters.get(f"TEST{number}CONF", 0)) for number in TESTS]
    is_wired = any(word & ACTIVE and word >> 5 == Variable.AUX1 for word in words)
    return AUXILIARY_LOOK_AHEAD_S if is_wired else math.inf


def _times(begin_s: float, end_s: float, step_s: float) -> Iterator[float]:
    return (begin_s + number * step_s for number in range(int((end_s - begin_s) / step_s) + 1))


def _reached(value: float, level: float, at_least: bool) -> bool:
    return value >= level if at_least else value <= level
