"""Techniques as an EC-Lab potentiostat is told them, and what it refuses."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

TECHNIQUE_ID = {"OCV": 100, "CA": 101, "CP": 102, "LOOP": 150, "CPLIMIT": 155, "CALIMIT": 157}
MAX_LOAD_TEXT = 39  # a string of Channel Access has 40 bytes, the last of them 0
AUTOMATIC_CURRENT_RANGE = 12
TESTS = (1, 2, 3)
ACTIVE, BOTH_NEEDED = 1, 2  # bits of a test's word; the bits from 5 on are the variable


class Code(IntEnum):
    """Error codes of the EC-Lab library."""

    OK = 0
    NOT_CONNECTED = -1
    BAD_PARAMETERS = -4
    FUNCTION_IN_PROGRESS = -12
    CHANNEL_RUNNING = -13
    NOTHING_LOADED = -400


class Variable(IntEnum):
    """What a limit compares."""

    E = 0
    AUX1 = 1
    AUX2 = 2
    I = 3  # noqa: E741


class ExitCondition(IntEnum):
    """What follows a limit."""

    NEXT_STEP = 0
    NEXT_TECHNIQUE = 1
    STOP = 2


class ChannelError(Exception):
    """A command that the instrument refuses, with its code."""

    def __init__(self, code: Code) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(frozen=True)
class Technique:
    """One technique of a loaded sequence with its parameters."""

    name: str
    parameters: Mapping[str, float]

    def check(self, index: int, max_current_a: float) -> None:
        """Refuse parameters that the instrument cannot run; this one has one step, so ``STEPN`` must be 0.

        Raises
        ------
        ChannelError
            With ``BAD_PARAMETERS``.
        """
        p = self.parameters
        good = all(math.isfinite(value) for value in p.values())
        if self.name == "LOOP":
            good = good and p["NLOOP"] >= 0 and 0 <= p["PROT"] < index
        elif self.name == "OCV":
            good = good and p["RTT"] > 0
        else:
            good = good and p["DURSTEP"] > 0 and p["STEPN"] == 0 and p["NCYCLES"] >= 0
        if self.name in ("CP", "CPLIMIT"):
            good = good and abs(p["ISTEP"]) <= max_current_a
        if self.name in ("CPLIMIT", "CALIMIT"):
            good = good and all(_can_test(int(p[f"TEST{number}CONF"])) for number in TESTS)
            good = good and p["EXITCOND"] in tuple(ExitCondition) and p["IRANGE"] != AUTOMATIC_CURRENT_RANGE
        if not good:
            raise ChannelError(Code.BAD_PARAMETERS)


def _can_test(word: int) -> bool:
    """Tell whether a test is off or one that this instrument knows: any one of them ends the technique."""
    return not word & ACTIVE or (not word & BOTH_NEEDED and word >> 5 in (Variable.E, Variable.I, Variable.AUX1))
