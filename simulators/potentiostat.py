"""The potentiostat's server: ISIS EPICS-ECLab names, polled once a second, posting only what changed."""

import math
from collections.abc import Callable
from typing import Any

from caproto import AlarmSeverity, AlarmStatus

from simulators.channel_access_server import MirroredGroup, attribute_name
from simulators.conductor import Conductor, Event
from simulators.noise import keyed_normal
from simulators.potentiostat_channel import Channel
from simulators.potentiostat_records import (
    ARRAYS,
    INSTANCES,
    SCALARS,
    beyond_the_public_ioc,
    channel_properties,
    parameter_name,
)
from simulators.potentiostat_technique import MAX_LOAD_TEXT, TECHNIQUE_ID, ChannelError, Code, Technique
from simulators.tap import Tap

POLL_S = 1.0
GRID_TOLERANCE = 1e-6  # a time of 1.7e9 s is a multiple of 2.4e-7 s, so a grid point may be met that much early
VOLTAGE_NOISE_V = 70e-6  # rms, as in real data of an MPG-2 at rest
CURRENT_NOISE_A = 1e-9  # a hundred-thousandth of the 100 uA range
AUXILIARY_NOISE_V = 3e-4  # of an input of 10 V, 16 bit
_SEPARATORS = str.maketrans(";", ",", " ")


class Potentiostat(MirroredGroup):
    """One channel; the prefix ends with the channel, as in ``"ECLAB:C0:"``.

    Parameters are taken when a sequence is loaded, as the EC-Lab library does; after a stop it must be loaded again.
    A refused command leaves an alarm on its own process variable, as a record does whose driver failed; ``OPTERR`` then
    shows the library's code, which the public IOC keeps to itself. Beyond it are ``Q``, ``AUX1`` and ``CAPABILITIES``.
    No files are written, so ``FILENAME`` stays empty.

    ``commands`` is the tap for the names of commands, LOADTECH, START, STOP, UPDATE, before they are obeyed; a change
    may raise :class:`ChannelError`. ``readings`` is the tap for what one poll has found, by the names of the process
    variables.
    """

    locals().update(channel_properties() | beyond_the_public_ioc())

    def __init__(
        self,
        *args: Any,
        conductor: Conductor,
        channel: Channel,
        seed: int,
        obeyed: Callable[..., None] = lambda *_: None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._obeyed = obeyed
        self._conductor = conductor
        self._channel = channel
        self._seed = seed
        self._poll_number = -1
        self._transition: Event | None = None
        self.commands: Tap[str] = Tap()
        self.readings: Tap[dict[str, Any]] = Tap()
        conductor.on_arrival(self._poll)
        if channel.running:  # of a beamline that was started again
            self._changed(conductor.now())

    async def on_LOADTECH__SP(self, value: Any) -> str:  # noqa: N802
        """Load a sequence such as ``"cplimit,ca"`` with the parameters as they stand."""
        text = str(value).rstrip("\0")
        try:
            self.commands("LOADTECH")
            if len(text) > MAX_LOAD_TEXT:
                raise ChannelError(Code.BAD_PARAMETERS)
            sequence = self._sequence(_names(text))
            self._channel.load(sequence)
        except ChannelError as error:
            await self._refuse("LOADTECH:SP", error.code)
            return text
        self._obeyed(self._conductor.now(), "load", sequence)
        await self._accept("LOADTECH:SP")
        await self.post(LOADTECH=text)
        return text

    async def on_START(self, value: Any) -> int:  # noqa: N802
        """Start the loaded sequence."""
        if not value:
            return 0
        now_s = await self._up_to_now()
        try:
            self.commands("START")
            self._channel.start(now_s)
        except ChannelError as error:
            await self._refuse("START", error.code)
            return 0
        self._obeyed(now_s, "start")
        self._changed(now_s)
        await self._accept("START")
        return 0

    async def on_STOP(self, value: Any) -> int:  # noqa: N802
        """Open the circuit."""
        if not value:
            return 0
        now_s = await self._up_to_now()
        try:
            self.commands("STOP")
        except ChannelError as error:
            await self._refuse("STOP", error.code)
            return 0
        self._channel.stop(now_s)
        self._obeyed(now_s, "stop")
        self._changed(now_s)
        await self._accept("STOP")
        return 0

    async def on_UPDATE__SP(self, value: Any) -> None:  # noqa: N802
        """Give the loaded techniques the parameters as they stand."""
        now_s = await self._up_to_now()
        try:
            self.commands("UPDATE")
            sequence = self._sequence(self._channel.names())
            self._channel.update(now_s, sequence)
        except ChannelError as error:
            await self._refuse("UPDATE:SP", error.code)
            return
        self._obeyed(now_s, "update", sequence)
        self._changed(now_s)
        await self._accept("UPDATE:SP")

    def _sequence(self, names: list[str]) -> list[Technique]:
        """Take the parameters as they stand; the second technique of a kind has those of the second instance."""
        sequence: list[Technique] = []
        for name in names:
            instance = sum(name == technique.name for technique in sequence)
            if name not in TECHNIQUE_ID or instance not in INSTANCES.get(name, (0,)):
                raise ChannelError(Code.BAD_PARAMETERS)
            parameters = [*SCALARS[name], *ARRAYS.get(name, {})]
            sequence.append(Technique(name, {each: self._first_element(name, instance, each) for each in parameters}))
        return sequence

    def _first_element(self, technique: str, instance: int, parameter: str) -> float:
        value = self.value(f"{parameter_name(technique, instance, parameter)}:SP")
        if parameter not in ARRAYS.get(technique, {}):
            return float(value)
        return float(value[0]) if len(value) else math.nan

    async def _accept(self, command: str) -> None:
        await self._answer(command, Code.OK, AlarmStatus.NO_ALARM, AlarmSeverity.NO_ALARM)

    async def _refuse(self, command: str, code: Code) -> None:
        await self._answer(command, code, AlarmStatus.WRITE, AlarmSeverity.INVALID_ALARM)

    async def _answer(self, command: str, code: Code, status: AlarmStatus, severity: AlarmSeverity) -> None:
        await getattr(self, attribute_name(command)).alarm.write(status=status, severity=severity)
        await self.post_changes(OPTERR=int(code))

    async def _up_to_now(self) -> float:
        now_s = self._conductor.now()
        await self._poll(now_s)
        self._channel.advance(now_s)
        return now_s

    def _changed(self, time_s: float) -> None:
        """Foresee the next change of technique, and let the first poll that shows the present one be seen."""
        if self._transition is not None:
            self._transition.cancel()
        self._transition = None
        if math.isfinite(self._channel.transition_s):
            self._transition = self._conductor.at(self._channel.transition_s, self._change_technique)
        self._conductor.at(self._poll_time_s(self._number_at(time_s) + 1), self._poll_now)

    async def _change_technique(self) -> None:
        due_s = self._channel.transition_s
        if not math.isfinite(due_s):
            return
        await self._poll(due_s)
        self._channel.advance(due_s)
        self._changed(due_s)

    def _number_at(self, time_s: float) -> int:
        return math.floor((time_s - self._channel.boot_s) / POLL_S + GRID_TOLERANCE)

    def _poll_time_s(self, number: int) -> float:
        return self._channel.boot_s + number * POLL_S

    async def meet_limit(self) -> bool:
        """Take the running technique's limit as met now; return whether there is one."""
        if not self._channel.meet_limit(await self._up_to_now()):
            return False
        await self._change_technique()
        return True

    async def disconnected(self, is_so: bool) -> None:
        """Show by the alarm of all readings whether the instrument behind the server is there."""
        status, severity = AlarmStatus.NO_ALARM, AlarmSeverity.NO_ALARM
        if is_so:
            status, severity = AlarmStatus.COMM, AlarmSeverity.INVALID_ALARM
        await getattr(self, attribute_name("EWE")).alarm.write(status=status, severity=severity)

    async def _poll_now(self) -> None:
        await self._poll(self._conductor.now())

    async def _poll(self, time_s: float) -> None:
        """Publish the last poll of the 1 s grid that lies before ``time_s``."""
        number = self._number_at(time_s)
        if number == self._poll_number:
            return
        self._poll_number = number
        poll_s = self._poll_time_s(number)
        channel = self._channel
        reading = channel.cell.reading(poll_s)
        current_a = reading.current_a
        if channel.running and channel.technique_id != TECHNIQUE_ID["OCV"]:
            current_a += CURRENT_NOISE_A * keyed_normal(self._seed, "current", number)
        values = {
            "EWE": reading.voltage_v + VOLTAGE_NOISE_V * keyed_normal(self._seed, "voltage", number),
            "I": current_a,
            "TIME": channel.elapsed_s(poll_s),
            "Q": reading.charge_mah,
            "AUX1": channel.auxiliary_v(poll_s) + AUXILIARY_NOISE_V * keyed_normal(self._seed, "auxiliary", number),
            "STATE": int(channel.running),
            "NUMTECH": len(channel.names()),
            "TB": channel.time_base_s,
        }
        saves = bool(self.value("SAVEDATA"))
        values["DATADONE"] = int(not (saves and channel.running))
        if saves:  # the IOC knows technique and loop from the data it fetches in order to save them
            values |= {
                "TECHID": channel.technique_id,
                "TECHIND": channel.index,
                "LOOP": channel.num_loops,
                "DATA_START": channel.technique_begin_s,
            }
        for name, value in self.readings(values).items():
            if self.value(name) != value:
                await getattr(self, attribute_name(name)).write(value, verify_value=False, timestamp=poll_s)


def _names(text: str) -> list[str]:
    return [name for name in text.translate(_SEPARATORS).upper().split(",") if name]
