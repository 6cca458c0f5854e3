"""What an instrument's fault is, as opposed to a mistake in the program, and what an error says."""

from typing import Any

from bluesky.utils import FailedStatus, MsgGenerator, RequestAbort, RequestStop

from devices.answers import NO_ANSWER
from devices.camera import CameraError
from devices.checked_motor import MoveError
from devices.shutter import ShutterError
from operando.model.outcome import Outcome
from plans.clock_waits import WaitError


class StopWishedError(Exception):
    """A person asked the experiment to end here."""


class StepSkippedError(Exception):
    """A person asked to go on with the next step."""


class BeamLostError(RuntimeError):
    """The storage ring has no beam."""


class HoldEndedError(RuntimeError):
    """The cell is not held any more at what a tomogram is named after."""


class UnevenTurnError(RuntimeError):
    """Camera and stage did not go evenly together."""


# What makes a tomogram partial. Everything else is a mistake in the program, or a person, and travels on.
INSTRUMENT_FAULTS = (
    BeamLostError,
    CameraError,
    HoldEndedError,
    MoveError,
    ShutterError,
    UnevenTurnError,
    WaitError,
    FailedStatus,
    *NO_ANSWER,
)


def undisturbed(plan: MsgGenerator[Any]) -> MsgGenerator[Any]:
    """Go through with ``plan`` whatever becomes of moves that were begun before it.

    The RunEngine throws the failure of a status into whatever message is sent next, also into those that tell how it
    all ended. The message itself has been obeyed then; its answer is lost.
    """
    response: Any = None
    while True:
        try:
            message = plan.send(response)
        except StopIteration as end:
            return end.value
        try:
            response = yield message
        except FailedStatus:
            response = None


def sentence(error: BaseException) -> str:
    """Return what an error says, also one that the RunEngine has wrapped."""
    if isinstance(error, FailedStatus) and error.args:
        inner = getattr(error.args[0], "exception", lambda **_: None)(timeout=0)
        error = inner or error
    return str(error) or type(error).__name__


def outcome_of(error: BaseException) -> Outcome:
    """Return how what an error ended did end: a person's wish aborts, everything else is a failure."""
    wished = isinstance(error, StopWishedError | RequestAbort | RequestStop)
    return Outcome.ABORTED if wished else Outcome.FAILED
