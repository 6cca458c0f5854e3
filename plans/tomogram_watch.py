"""What must hold while frames are taken: a beam, the shutter where the frames need it, and a cell in no danger."""

import contextlib

from devices.answers import NO_ANSWER
from devices.shutter import ShutterError, ShutterState
from operando.model.cell_state import CellState
from operando.model.frames import FrameKind
from plans import cell_watch
from plans.faults import BeamLostError, HoldEndedError
from plans.instruments import Instruments


class TomogramWatch:
    """Looks at everything around the camera; each method raises what it finds wrong."""

    def __init__(self, instruments: Instruments, *, min_ring_current_ma: float) -> None:
        self._instruments = instruments
        self._min_ring_current_ma = min_ring_current_ma
        self._num_closings = 0
        self._is_held = False

    def begin(self) -> None:
        """Begin to watch a series of frames."""
        self._num_closings = self._instruments.shutter.num_closings
        self._instruments.ring_current.lowest_ma()  # of before counts no more

    def look(self, kind: FrameKind) -> None:
        """Look at everything that frames of ``kind`` depend on.

        Raises
        ------
        BeamLostError
            If the storage ring has no beam.
        ShutterError
            If somebody else opened or closed the shutter, also if it was closed only for a moment.
        HoldEndedError
            If the cell was held when this was first asked and is not held any more.
        MoveError
            If the sample does not stand where it was moved to.
        CellDangerError
            If the guard has tripped.
        """
        if kind is not FrameKind.DARK:  # the sample leaves the beam meanwhile
            self._instruments.sample_x.require_still()
            self._require(self._instruments.ring_current.lowest_ma())
        self._require_shutter(kind)
        self.require_hold()

    def require_hold(self) -> None:
        """Raise HoldEndedError if the cell was held when this was first asked and is not held any more."""
        if not self._instruments.cell.connected:  # a guard that died is restarted, and tells then
            return
        with contextlib.suppress(*NO_ANSWER):
            state = cell_watch.state(self._instruments.cell)
            if self._is_held and state not in (CellState.HOLDING, CellState.STARTING):
                raise HoldEndedError(
                    f"the cell was held when the tomogram began and is in state {state} now: its voltage is no longer "
                    "what the tomogram is named after"
                )
            self._is_held = self._is_held or state is CellState.HOLDING

    def require_beam(self) -> None:
        """Raise BeamLostError if the ring current is below what the tomogram needs, or no number."""
        self._require(self._instruments.ring_current.current_ma())

    def _require(self, found_ma: float) -> None:
        if not found_ma >= self._min_ring_current_ma:
            raise BeamLostError(
                f"the ring current is {found_ma:.1f} mA, needed are {self._min_ring_current_ma:g} mA: "
                "the tomogram was given up to be taken again with beam"
            )

    def _require_shutter(self, kind: FrameKind) -> None:
        shutter = self._instruments.shutter
        wanted = ShutterState.CLOSED if kind is FrameKind.DARK else ShutterState.OPEN
        found = shutter.state
        closed_meanwhile = wanted is ShutterState.OPEN and shutter.num_closings != self._num_closings
        if found is not wanted or closed_meanwhile:
            what = f"is {found}" if found is not wanted else "was closed for a moment"
            raise ShutterError(
                f"{shutter.name}: must be {wanted} for frames of kind {kind}, but {what}: something else than this "
                "plan moved it, such as an interlock or another client. Find out who, then retake."
            )
