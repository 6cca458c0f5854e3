"""A channel of an EC-Lab potentiostat behind an IOC with the names of ISIS EPICS-ECLab. Only the guard holds it."""

import threading
import time
from collections.abc import Sequence
from typing import Any

from ophyd import Component, Device, DynamicDeviceComponent, EpicsSignal, EpicsSignalRO

from devices.answers import NO_ANSWER
from devices.parallel_read import INVALID_SEVERITY, ParallelReader
from devices.potentiostat_reading import Snapshot, channel_state
from devices.techniques import BY_STEP, NUM_INSTANCES, PARAMETERS, Technique, TechniqueError

ANSWER_TIMEOUT_S = 1.0  # real time: a server that is alive answers within milliseconds
SHORTEST_WAIT_S = 0.01
OPTIONAL_TIMEOUT_S = 0.3  # real time: a server that has them answers the same search as for the required ones
LONGEST_LOAD_TEXT = 39  # LOADTECH:SP is a stringout: 40 bytes with the closing zero
MOST_TECHNIQUES = 1000  # more is no index
_REQUIRED = ("EWE", "I", "TIME", "STATE", "TECHIND")
_FLAGS = ("IOVERFLOW", "EOVERFLOW", "SATURATION")
_CHARGE = "Q"
_AUXILIARY = ("AUX1", "AUX2")
_Value = float | str | list[float]


class PotentiostatError(RuntimeError):
    """The potentiostat's server is not there, or did not take what was asked."""


def _parameter_signals() -> dict[str, tuple[type[EpicsSignal], str, dict[str, Any]]]:
    return {
        f"{technique}_{instance}_{parameter}": (
            EpicsSignal,
            f"T:{technique}:{instance}:{parameter}:SP",
            {"kind": "omitted"},
        )
        for technique, parameters in PARAMETERS.items()
        for instance in range(NUM_INSTANCES.get(technique, 1))
        for parameter in parameters
    }


class Potentiostat(Device):  # type: ignore[misc]
    """One channel; the prefix ends with the channel, as in ``"ECLAB:C0:"``.

    It is never Movable: there is no ``set``. Commands return when the server took them; whether the cell obeyed is
    read back by whoever commanded.
    """

    voltage = Component(EpicsSignalRO, "EWE", kind="hinted")
    counter_voltage = Component(EpicsSignalRO, "ECE", kind="normal", lazy=True)
    current = Component(EpicsSignalRO, "I", kind="hinted")
    elapsed = Component(EpicsSignalRO, "TIME", kind="normal")
    state = Component(EpicsSignalRO, "STATE", string=True, kind="normal")
    technique_id = Component(EpicsSignalRO, "TECHID", kind="normal", lazy=True)
    technique_index = Component(EpicsSignalRO, "TECHIND", kind="normal")
    loop = Component(EpicsSignalRO, "LOOP", kind="normal", lazy=True)
    memory_filled = Component(EpicsSignalRO, "MEMFILLED:PCT", kind="omitted", lazy=True)
    skipped_interrupts = Component(EpicsSignalRO, "IRQSKIPPED", kind="omitted", lazy=True)
    option_error = Component(EpicsSignalRO, "OPTERR", kind="omitted", lazy=True)
    charge = Component(EpicsSignalRO, "Q", kind="omitted", lazy=True)
    published_capabilities = Component(EpicsSignalRO, "CAPABILITIES", string=True, kind="omitted", lazy=True)

    load_technique = Component(EpicsSignal, "LOADTECH:SP", string=True, kind="omitted")
    save_data = Component(EpicsSignal, "SAVEDATA:SP", kind="omitted")
    start_channel = Component(EpicsSignal, "START", kind="omitted")
    stop_channel = Component(EpicsSignal, "STOP", kind="omitted")
    parameters = DynamicDeviceComponent(_parameter_signals(), kind="omitted")

    def __init__(self, prefix: str, *, name: str, **options: Any) -> None:
        super().__init__(prefix, name=name, **options)
        self._reader = ParallelReader([f"{prefix}{pv}" for pv in (*_REQUIRED, *_FLAGS, _CHARGE)])
        self._auxiliary = ParallelReader([f"{prefix}{pv}" for pv in _AUXILIARY])  # whether they are there; never read

    @property
    def server(self) -> str:
        """Host and port at which the connected channel answers."""
        return self._reader.server_of(f"{self.prefix}STATE")

    def connect(self, timeout_s: float = 5.0) -> None:
        """Wait (real time) until the instrument answers; a little longer for its charge, which not all servers have.

        Raises
        ------
        PotentiostatError
            Naming every process variable that did not connect.
        """
        needed = [self.load_technique, self.save_data, self.start_channel, self.stop_channel]
        required = [f"{self.prefix}{pv}" for pv in _REQUIRED]
        found = self._reader.connected(timeout_s, needed=required)
        missing = [name for name in required if name not in found]
        if missing or (missing := _unconnected(needed, timeout_s)):
            raise PotentiostatError(
                f"{', '.join(missing)} did not connect within {timeout_s:g} s. "
                "Is the potentiostat's server running, and are prefix, channel and address in the beamline file right?"
            )
        self._reader.connected(OPTIONAL_TIMEOUT_S, needed=[f"{self.prefix}{_CHARGE}"])

    def has_auxiliary(self, number: int, timeout_s: float = 1.0) -> bool:
        """Wait (real time) for the auxiliary input 1 or 2; return whether the instrument has it."""
        name = f"{self.prefix}{_AUXILIARY[number - 1]}"
        return name in self._auxiliary.connected(timeout_s, needed=[name])

    @property
    def reachable(self) -> bool:
        """Whether the server's circuit stood at the last :meth:`poll`: it may be slow or frozen, but it is not gone."""
        return self._reader.all_connected([f"{self.prefix}{pv}" for pv in _REQUIRED])

    def poll(self) -> Snapshot | None:
        """Read the channel now, all values in parallel.

        ``None`` when the server does not answer, or says itself, by an INVALID alarm, that its values mean nothing.
        """
        read = self._reader.read(ANSWER_TIMEOUT_S)
        values = {name.removeprefix(self.prefix): value for name, value in read.items()}
        needed = [values[pv] for pv in _REQUIRED]
        if any(value is None or value.severity >= INVALID_SEVERITY for value in needed):
            return None
        voltage, current, elapsed, state, index = (value for value in needed if value is not None)
        charge = values[_CHARGE]
        return Snapshot(
            voltage_v=voltage.value,
            current_a=current.value,
            elapsed_s=elapsed.value,
            state=channel_state(state.value),
            technique_index=int(index.value) if abs(index.value) <= MOST_TECHNIQUES else -1,
            overflow=any(value is not None and value.value != 0 for value in (values[pv] for pv in _FLAGS)),
            charge_mah=None if charge is None else charge.value,
            time_s=elapsed.time_s,
        )

    def last_error(self) -> int | None:
        """Return the instrument's last error code, 0 for none; ``None`` if its server does not say."""
        try:
            return int(self.option_error.get(use_monitor=False))
        except NO_ANSWER:
            return None

    def load(self, sequence: Sequence[Technique], *, timeout_s: float = 5.0) -> None:
        """Write every parameter of ``sequence`` and load it; the channel must be stopped.

        Raises
        ------
        TechniqueError
            If the sequence cannot be said to this instrument: two OCV and one of each other technique at most, 39
            characters together.
        PotentiostatError
            If a process variable is missing, the server did not take a value or the instrument refused the sequence.
        """
        names = [technique.name for technique in sequence]
        text = ",".join(names).lower()
        too_many = any(names.count(name) > NUM_INSTANCES.get(name, 1) for name in names)
        if not names or too_many or len(text) > LONGEST_LOAD_TEXT:
            raise TechniqueError(
                f"The sequence {text!r} cannot be loaded: the server has two instances of OCV and one of each other "
                f"technique and takes 1 to {LONGEST_LOAD_TEXT} characters. Load it in parts."
            )
        # Without saving, the server asks the instrument for no data and never learns which technique runs.
        puts: list[tuple[EpicsSignal, _Value]] = [(self.save_data, 1)]
        for position, technique in enumerate(sequence):
            instance = names[:position].count(technique.name)
            for parameter, value in technique.parameters().items():
                signal = getattr(self.parameters, f"{technique.name}_{instance}_{parameter}")
                puts.append((signal, [value] if parameter in BY_STEP else value))
        self._put(puts, timeout_s)
        self._put([(self.load_technique, text)], timeout_s)
        self._check_loaded(text, timeout_s)

    def _check_loaded(self, text: str, timeout_s: float) -> None:
        try:
            self.load_technique.get(use_monitor=False, timeout=timeout_s)
        except NO_ANSWER as error:  # silent, or lost since it took the values
            raise PotentiostatError(
                f"{self.load_technique.pvname} did not answer within {timeout_s:g} s whether {text!r} was loaded. "
                "Check the potentiostat's server."
            ) from error
        if (self.load_technique.alarm_severity or 0) >= INVALID_SEVERITY:
            raise PotentiostatError(
                f"The instrument refused the sequence {text!r}: {self.load_technique.pvname} is in alarm, error code "
                f"{self.last_error()}. Nothing may be started; check the step's current, voltage and ranges."
            )

    def start(self, *, timeout_s: float = 5.0) -> None:
        """Start what was loaded."""
        self._put([(self.start_channel, 1)], timeout_s)

    def stop(self, *, success: bool = False, timeout_s: float = 1.0) -> None:
        """Open the circuit, whether the caller thinks of success or not; read :meth:`poll` to verify it."""
        self._put([(self.stop_channel, 1)], timeout_s)

    def open_circuit(self) -> None:
        """Open the circuit; the same as :meth:`stop`, by the name that says what happens to the cell."""
        self.stop()

    def _put(self, puts: Sequence[tuple[EpicsSignal, _Value]], timeout_s: float) -> None:
        if missing := _unconnected([signal for signal, _ in puts], timeout_s):
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise PotentiostatError(f"{missing[0]}{more} is not connected: nothing was written. Check the server.")
        taken = threading.Semaphore(0)
        for signal, value in puts:
            try:
                signal.put(value, use_complete=True, callback=lambda **_: taken.release())
            except NO_ANSWER as error:  # lost since it was looked at
                raise PotentiostatError(
                    f"{signal.pvname}: {value!r} was not written ({error}). Check the potentiostat's server."
                ) from error
        for num_taken in range(len(puts)):
            if not taken.acquire(timeout=timeout_s):
                raise PotentiostatError(
                    f"{self.prefix}: {len(puts) - num_taken} of {len(puts)} values were not acknowledged within "
                    f"{timeout_s:g} s, among them {puts[-1][0].pvname}. Check the potentiostat's server."
                )


def _unconnected(signals: Sequence[EpicsSignal], timeout_s: float) -> list[str]:
    """Return the names of what has not connected within ``timeout_s`` for all together: the guard waits meanwhile."""
    deadline_s = time.monotonic() + timeout_s
    missing = []
    for signal in signals:
        if signal.connected:
            continue
        try:
            signal.wait_for_connection(timeout=max(deadline_s - time.monotonic(), SHORTEST_WAIT_S))
        except TimeoutError:
            missing.append(signal.pvname)
    return missing
