"""What the guard does to the cell, each verified by the instrument's own readback."""

from dataclasses import dataclass
from time import perf_counter

from devices.potentiostat import Potentiostat, PotentiostatError
from devices.potentiostat_reading import ChannelState, Snapshot
from devices.techniques import Technique
from operando.guard.inbox import Inbox
from operando.model.clock import Clock

NUM_POLLS_TO_VERIFY = 2  # of the instrument: one may be under way when the command arrives
_LOOKS_PER_POLL = 10
_NUM_ATTEMPTS = 2


class NotObeyedError(RuntimeError):
    """The instrument did not do what was commanded within two of its polls."""


@dataclass(frozen=True)
class OpenedCircuit:
    """The reading that shows open circuit, and how it came to it.

    Times are the host's performance counter: when the stop that was obeyed was sent, when the server had taken it
    (its put was complete), and when the reading showed it. ``verified_after_s`` is that in the run's clock, from the
    first stop on.
    """

    snapshot: Snapshot
    sent_s: float
    taken_s: float
    seen_s: float
    verified_after_s: float
    num_attempts: int


@dataclass(frozen=True)
class CellControl:
    """Opens the circuit and starts techniques; waits in the run's clock, with commands left in the inbox."""

    potentiostat: Potentiostat
    inbox: Inbox
    clock: Clock
    poll_s: float

    def open_circuit(self) -> OpenedCircuit:
        """Open the circuit, again if needed, and return how that went.

        Raises
        ------
        NotObeyedError
            If the instrument cannot be reached or does not show STOP. Try again.
        """
        reason = ""
        began_s = self.clock.steady()
        for attempt in range(1, _NUM_ATTEMPTS + 1):
            sent_s = perf_counter()
            try:
                self.potentiostat.open_circuit()
            except PotentiostatError as error:
                reason = str(error)
            taken_s = perf_counter()
            snapshot = self._wait_for(ChannelState.STOP, give_up_if_silent=bool(reason))
            if snapshot is not None and snapshot.state is ChannelState.STOP:
                return OpenedCircuit(snapshot, sent_s, taken_s, perf_counter(), self.clock.steady() - began_s, attempt)
        raise NotObeyedError(
            f"Open circuit was commanded {_NUM_ATTEMPTS} times; {self._found(snapshot)} {reason}".strip()
        )

    def start(self, techniques: tuple[Technique, ...]) -> Snapshot:
        """Load and start ``techniques`` on a stopped channel and return the reading that shows it running.

        Raises
        ------
        NotObeyedError
            If the instrument does not show RUN.
        PotentiostatError, TechniqueError
            If it cannot be reached or does not take the techniques.
        """
        self.potentiostat.load(techniques)
        self.potentiostat.start()
        snapshot = self._wait_for(ChannelState.RUN, give_up_if_silent=False)
        if snapshot is None or snapshot.state is not ChannelState.RUN:
            names = ",".join(technique.name for technique in techniques)
            code = self.potentiostat.last_error()
            raise NotObeyedError(f"{names} was started; {self._found(snapshot)} Its error code is {code}.")
        return snapshot

    def _wait_for(self, state: ChannelState, *, give_up_if_silent: bool) -> Snapshot | None:
        begin_s = self.clock.steady()
        pause_s = self.poll_s / _LOOKS_PER_POLL
        for look in range(NUM_POLLS_TO_VERIFY * _LOOKS_PER_POLL + 2):
            snapshot = self.potentiostat.poll()
            if snapshot is not None and snapshot.state is state:
                return snapshot
            if snapshot is None and give_up_if_silent:
                return None
            left_s = begin_s + (look + 1) * pause_s - self.clock.steady()  # whatever is done to the host's clock
            self.inbox.settle_until(self.clock.now() + left_s)
        return snapshot

    def _found(self, snapshot: Snapshot | None) -> str:
        allowed_s = NUM_POLLS_TO_VERIFY * self.poll_s
        if snapshot is None:
            return "it does not answer."
        return f"after {allowed_s:g} s it still shows {snapshot.state.name}."
