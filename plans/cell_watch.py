"""What a plan asks of the guard: commands that are verified, the state of the cell, and the next sample."""

import uuid
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import MsgGenerator

from devices.answers import NO_ANSWER
from operando.model.cell_state import CellState
from operando.model.clock import Clock
from plans import clock_waits
from plans.instruments import Cell

COMMAND_POLL_S = 0.1
COMMAND_LIMIT_S = 60.0  # of the clock; the guard verifies within two polls of the potentiostat and retries
LATE_SAMPLE_POLL_S = 1.0
NUM_TRIES = 4
RESTART_S = 2.0  # a dead guard is started again within this


class CellDangerError(RuntimeError):
    """The guard brought the cell to open circuit, or cannot; the experiment ends."""


def state(cell: Cell) -> CellState:
    """Ask the guard for its state.

    Raises
    ------
    CellDangerError
        If it has tripped, with its reason.
    """
    found = CellState(str(cell.state.get(use_monitor=False)))
    if found in (CellState.TRIPPED, CellState.UNSAFE):
        reason = str(cell.trip.get(use_monitor=False)) or "no reason was published"
        made = "is at open circuit" if found is CellState.TRIPPED else "could NOT be verified to be at open circuit"
        raise CellDangerError(
            f"The guard tripped: {reason.rstrip('.')}. The cell {made}. Look at the cell, then clear the trip: "
            "operando ask RUN clear-trip REASON."
        )
    return found


def voltage_v(cell: Cell) -> float:
    """Return the voltage of the guard's last sample."""
    return float(cell.voltage.get(use_monitor=False))


def command(
    cell: Cell, clock: Clock, name: str, *, identity: str | None = None, **arguments: Any
) -> MsgGenerator[None]:
    """Send a command to the guard and wait in the clock until it is verified; a refusal is raised.

    A guard that does not receive it may be about to be restarted: the same command, with the same id, is sent again.
    With an ``identity`` that the guard knows it does nothing and says again what became of that command.
    """
    identity = identity or uuid.uuid4().hex
    for tries_left in reversed(range(NUM_TRIES)):
        try:
            status = cell.command(name, arguments, command_id=identity)
            break
        except Exception:
            if tries_left == 0:
                raise
        yield from clock_waits.sleep_until(clock, clock.now() + RESTART_S)
    yield from bps.checkpoint()

    def look() -> None:
        try:
            cell.check_answer()
        except NO_ANSWER:
            if cell.is_given_up:  # else it is being restarted and still knows the answer
                raise

    yield from clock_waits.until_done(
        clock,
        status,
        look=look,
        poll_s=COMMAND_POLL_S,
        limit_s=COMMAND_LIMIT_S,
        what=f"the guard's answer to {name!r}",
    )


def next_look_s(cell: Cell, clock: Clock) -> float:
    """Return when the guard's next sample is due, or soon if it is late."""
    now_s, period_s = clock.now(), float(cell.period.get(use_monitor=False))
    due_s = float(cell.sample_time.get(use_monitor=False)) + period_s
    if due_s > now_s:
        return min(due_s, now_s + period_s)  # the host's clock may have been set back since that sample
    return now_s + min(period_s, LATE_SAMPLE_POLL_S)
