"""The step that the instrument holds: begun, ended at open circuit, and remembered for the guard that follows."""

from collections.abc import Mapping
from typing import Any

from devices.instrument_limit import InstrumentLimit
from devices.potentiostat import PotentiostatError
from devices.potentiostat_reading import ChannelState
from devices.techniques import TechniqueError
from operando.guard.control import CellControl, NotObeyedError
from operando.guard.record import Record
from operando.guard.safety import Safety
from operando.guard.state import Step
from operando.guard.techniques import loaded_step
from operando.model.limits_table import Limits


class Stepping:
    """Owns the step of one cell.

    Parameters
    ----------
    pressure_limit
        Limit on the stack pressure that the potentiostat itself can keep.
    step
        What an earlier guard of this run had begun.
    """

    def __init__(
        self,
        limits: Limits,
        pressure_limit: InstrumentLimit | None,
        control: CellControl,
        safety: Safety,
        record: Record,
        step: Step | None,
    ) -> None:
        self._limits = limits
        self._pressure_limit = pressure_limit
        self._control = control
        self._safety = safety
        self._record = record
        self._step = step

    @property
    def step(self) -> Step | None:
        """The step that the instrument holds; none after a trip or an open circuit that was asked for."""
        return None if self._safety.trip else self._step

    def begin(self, command: str, arguments: Mapping[str, Any]) -> None:
        """Load and start what ``command`` asks for.

        Raises
        ------
        TechniqueError
            If it may not be.
        NotObeyedError, PotentiostatError
            If the instrument does not do it; the cell is then at open circuit, or tripped where that is not sure.
        """
        present = self._control.potentiostat.poll()
        if present is None:
            raise NotObeyedError("The potentiostat does not answer: nothing was changed. Check its server.")
        loaded = loaded_step(command, arguments, self._limits, present.voltage_v, self._pressure_limit)
        opened_s = self._control.clock.steady()
        if present.state is not ChannelState.STOP:
            self.open_circuit(f"Before step {loaded.step!r}.")
        # Written before the start: a guard that is killed in between is followed by one that knows what runs.
        self._record.event("step", loaded.step, **loaded.as_data(), started_elapsed_s=present.elapsed_s)
        self._step = Step(loaded.step, loaded.holds, loaded.max_duration_s, present.elapsed_s, loaded.current_a)
        try:
            self._control.start(loaded.techniques)
        except (NotObeyedError, PotentiostatError, TechniqueError):
            reason = f"Step {loaded.step!r} did not start."
            try:
                self.open_circuit(reason)
            except NotObeyedError as error:  # nobody knows what the cell does: go on trying, and take no more steps
                self.trip(f"{reason} {error}")
            raise
        gap_s = self._control.clock.steady() - opened_s
        self._record.event("step_started", f"{loaded.step} after {gap_s:.2f} s at open circuit", gap_s=gap_s)

    def open_circuit(self, reason: str) -> None:
        """Open the circuit and verify it.

        Raises
        ------
        NotObeyedError
            If it could not be verified.
        """
        self._control.open_circuit()
        self._step = None
        self._record.event("open_circuit", reason)

    def trip(self, reason: str) -> None:
        """Trip for a reason that no limit tells."""
        self._safety.trip_now(reason)
        self._step = None

    def forget(self) -> None:
        """Take the step for ended: a limit tripped."""
        self._step = None
