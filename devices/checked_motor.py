"""An EPICS motor whose move succeeds only where it was asked to go: a stopped or stalled move is an error."""

import contextlib
import threading
from dataclasses import dataclass, field
from typing import Any

from ophyd import DeviceStatus, EpicsMotor

from devices.answers import NO_ANSWER
from devices.progress import ProgressWatch
from operando.model.clock import Clock

STALL_S = 5.0  # of the clock without any change of the readback


class MoveError(RuntimeError):
    """A motor is not where it was asked to go."""


@dataclass
class _Move:
    target: float
    status: DeviceStatus
    started: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class CheckedMotor(EpicsMotor):  # type: ignore[misc]
    """A motor record.

    ophyd calls a move that was stopped half-way a success; here the readback is compared with the target. A move ends
    by the record's own events; :meth:`look` asks the record at once, and is what finds a stall.

    Parameters
    ----------
    clock
        What stalls are timed with.
    tolerance
        How far from the target a finished move may end, in the motor's unit.
    stall_s
        How long the readback may stand still during a move, in s of the clock.
    """

    def __init__(
        self, prefix: str, *, name: str, clock: Clock, tolerance: float = 1e-2, stall_s: float = STALL_S, **options: Any
    ) -> None:
        super().__init__(prefix, name=name, **options)
        self.clock = clock
        self.tolerance = tolerance
        self.stall_s = stall_s
        self._watch = ProgressWatch(clock)
        self._move: _Move | None = None

    def set(self, position: float, **options: Any) -> DeviceStatus:
        """Start a move; the status is done when the readback is at ``position``.

        Raises
        ------
        ophyd.utils.LimitError
            If ``position`` lies outside the soft limits.
        """
        self.check_value(position)
        move = _Move(float(position), DeviceStatus(self))
        self._watch.restart()
        self._move = move
        motion = super().set(position, **options)
        motion.add_callback(lambda _: self._judge(move, float(self.user_readback.get(use_monitor=False))))
        self.fence()
        return move.status

    def fence(self) -> None:
        """Return when the server has everything that was put before."""
        self.motor_done_move.get(use_monitor=False)

    def look(self) -> None:
        """Ask the record where it is; end the move's status if it has arrived, was stopped or stalls."""
        move = self._move
        if move is None or move.status.done:
            return
        try:
            done = int(self.motor_done_move.get(use_monitor=False)) == 1
            readback = float(self.user_readback.get(use_monitor=False))
        except NO_ANSWER as error:
            self._fail(move, f"its server does not answer ({error})")
            return
        move.started = move.started or not done or self._started_moving
        if done and (move.started or abs(readback - move.target) <= self.tolerance):
            self._judge(move, readback)
        elif (quiet_s := self._watch.quiet_s(readback)) > self.stall_s:
            self._fail(move, f"it has stood at {readback:g} for {quiet_s:.1f} s (limit {self.stall_s:g} s)")

    def require_still(self) -> None:
        """Raise MoveError if it does not stand where its last move ended; one that moves, or does not answer, may."""
        move = self._move
        if move is None or not move.status.done or move.status.exception(timeout=0) is not None:
            return
        with contextlib.suppress(*NO_ANSWER):
            readback = float(self.user_readback.get(use_monitor=False))
            if abs(readback - move.target) > self.tolerance:
                raise MoveError(
                    f"{self.name}: stood at {move.target:g} and is at {readback:g} now; allowed is {self.tolerance:g}. "
                    f"Something else moved the motor {self.prefix}, or it slipped. Find out which, then retry."
                )

    def _judge(self, move: _Move, readback: float) -> None:
        with move.lock:
            if move.status.done:
                return
            if abs(readback - move.target) <= self.tolerance:
                move.status.set_finished()
                return
        self._fail(move, f"it was stopped at {readback:g}")

    def _fail(self, move: _Move, found: str) -> None:
        with move.lock:
            if not move.status.done:
                move.status.set_exception(
                    MoveError(
                        f"{self.name}: was asked to go to {move.target:g}, but {found}; "
                        f"allowed is {self.tolerance:g} from the target. Look at the motor {self.prefix}, then retry."
                    )
                )
