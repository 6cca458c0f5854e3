"""When a fault begins: now, at a time of the rehearsal or of the host, or with a frame of a tomogram."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import PlainValidator

from operando.model.frames import FrameKind
from operando.model.units import parse_quantity

_FRAME = re.compile(rf"({'|'.join(FrameKind)}) (\d+)(?: of attempt (\d+))?")
_WALL = " of wall time"


@dataclass(frozen=True)
class Now:
    """When it is asked for."""


@dataclass(frozen=True)
class AtTime:
    """So long after the rehearsal began, on its clock."""

    time_s: float


@dataclass(frozen=True)
class AtWallTime:
    """So long after the rehearsal began, on the host's clock."""

    time_s: float


@dataclass(frozen=True)
class AtFrame:
    """When the camera hands on frame ``number`` (from 1) of a series; of the next attempt that comes so far if None."""

    kind: FrameKind
    number: int
    attempt: int | None = None


def moment(text: object) -> Now | AtTime | AtWallTime | AtFrame:
    """Return the moment that a text says.

    Raises
    ------
    ValueError
        If it says none.
    """
    if isinstance(text, Now | AtTime | AtWallTime | AtFrame):
        return text
    if text == "now":
        return Now()
    if isinstance(text, str):
        if found := _FRAME.fullmatch(text):
            kind, number, attempt = found.groups()
            return AtFrame(FrameKind(kind), int(number), None if attempt is None else int(attempt))
        try:
            seconds = parse_quantity(text.removesuffix(_WALL), "s")
        except ValueError:
            seconds = -1.0
        if seconds >= 0:
            return AtWallTime(seconds) if text.endswith(_WALL) else AtTime(seconds)
    raise ValueError(
        f"{text!r} is no moment: write 'now', a time since the rehearsal began as in '30 min' or '12 s of wall time', "
        "or a frame as in 'projection 20' or 'projection 20 of attempt 2'"
    )


Moment = Annotated[Now | AtTime | AtWallTime | AtFrame, PlainValidator(moment)]
