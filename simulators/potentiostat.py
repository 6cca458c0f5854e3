"""The potentiostat's server: ISIS EPICS-ECLab names, polled once a second, posting only what changed."""

import math
from typing import Any

from caproto import ChannelType
from caproto.server import pvproperty

from simulators.channel_access_server import MirroredGroup, attribute_name
from simulators.conductor import Conductor, Event
from simulators.noise import keyed_normal
from simulators.potentiostat_channel import Channel
from simulators.potentiostat_technique import MAX_LOAD_TEXT, TECHNIQUE_ID, ChannelError, Code, Technique

POLL_S = 1.0
GRID_TOLERANCE = 1e-6  # a time of 1.7e9 s is a multiple of 2.4e-7 s, so a grid point may be met that much early
VOLTAGE_NOISE_V = 70e-6  # rms, as in real data of an MPG-2 at rest
CURRENT_NOISE_A = 1e-9  # a hundred-thousandth of the 100 uA range
STATES = ("STOP", "RUN", "PAUSE")
FLOATS = {"EWE": "V", "ECE": "V", "I": "A", "TIME": "s", "Q": "mAh", "MEMFILLED:PCT": "%"}
INTEGERS = ("TECHID", "TECHIND", "LOOP", "IOVERFLOW", "EOVERFLOW", "SATURATION", "OPTERR", "IRQSKIPPED")
_RECORD = {"REDT": 1.0, "ERANGE": 1.0, "BW": 5.0, "XCTR": 0.0}
_STEP = {"DURSTEP": 0.0, "VSINIT": 0.0, "STEPNUM": 0.0, "NCYCLES": 0.0, "IRANGE": 7.0, "REDE": 0.005} | _RECORD
_LIMIT = {"TEST1CONF": 0.0, "TEST1VAL": 0.0, "EXITCOND": 1.0}
PARAMETERS = {
    "OCV": {"RTT": 0.0, "REDE": 0.005, "IRANGE": 7.0} | _RECORD,
    "CP": {"ISTEP": 0.0} | _STEP,
    "CPLIMIT": {"ISTEP": 0.0} | _STEP | _LIMIT,
    "CA": {"VSTEP": 0.0} | _STEP,
    "CALIMIT": {"VSTEP": 0.0} | _STEP | _LIMIT,
    "LOOP": {"LOOPNTIMES": 0.0, "PROTNUM": 0.0},
}


def _parameter_pv(technique: str, parameter: str) -> str:
    return f"T:{technique}:0:{parameter}:SP"


def _properties() -> dict[str, Any]:
    found: dict[str, Any] = {
        name: pvproperty(name=name, value=0.0, precision=6, units=unit) for name, unit in FLOATS.items()
    }
    found |= {name: pvproperty(name=name, value=0) for name in INTEGERS}
    found["STATE"] = pvproperty(name="STATE", value=0, dtype=ChannelType.ENUM, enum_strings=list(STATES))
    found["CAPABILITIES"] = pvproperty(name="CAPABILITIES", value="charge", dtype=ChannelType.STRING)
    for name in ("START", "STOP", "UPDATE:SP", "SAVEDATA:SP"):
        found[name] = pvproperty(name=name, value=0)
    for name in ("LOADTECH:SP", "FILEPREFIX:SP"):
        found[name] = pvproperty(name=name, value="", dtype=ChannelType.STRING)
    for technique, parameters in PARAMETERS.items():
        for parameter, default in parameters.items():
            name = _parameter_pv(technique, parameter)
            found[name] = pvproperty(name=name, value=default, precision=9)
    return {attribute_name(name): value for name, value in found.items()}


class Potentiostat(MirroredGroup):
    """One channel; the prefix ends with the channel, as in ``"ECLAB:C0:"``.

    Parameters are taken when a sequence is loaded, as the EC-Lab library does; after a stop it must be loaded again.
    """

    locals().update(_properties())

    def __init__(self, *args: Any, conductor: Conductor, channel: Channel, seed: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._conductor = conductor
        self._channel = channel
        self._seed = seed
        self._poll_number = -1
        self._transition: Event | None = None
        conductor.on_arrival(self._poll)

    async def on_LOADTECH__SP(self, value: Any) -> str:  # noqa: N802
        """Load a sequence such as ``"cplimit,ca"`` with the parameters as they stand."""
        text = str(value)
        names = [name.strip().upper() for name in text.split(",")]
        if len(text) > MAX_LOAD_TEXT or not set(names) <= set(TECHNIQUE_ID):
            await self._answer(Code.BAD_PARAMETERS)
            return text
        try:
            self._channel.load(self._sequence(names))
        except ChannelError as error:
            await self._answer(error.code)
            return text
        await self._answer(Code.OK)
        return text

    async def on_START(self, value: Any) -> int:  # noqa: N802
        """Start the loaded sequence."""
        if not value:
            return 0
        now_s = await self._up_to_now()
        try:
            self._channel.start(now_s)
        except ChannelError as error:
            await self._answer(error.code)
            return 0
        self._changed(now_s)
        await self._answer(Code.OK)
        return 0

    async def on_STOP(self, value: Any) -> int:  # noqa: N802
        """Open the circuit."""
        if not value:
            return 0
        now_s = await self._up_to_now()
        self._channel.stop(now_s)
        self._changed(now_s)
        await self._answer(Code.OK)
        return 0

    async def on_UPDATE__SP(self, value: Any) -> int:  # noqa: N802
        """Give the loaded techniques the parameters as they stand."""
        if not value:
            return 0
        now_s = await self._up_to_now()
        try:
            self._channel.update(now_s, self._sequence(self._channel.names()))
        except ChannelError as error:
            await self._answer(error.code)
            return 0
        self._changed(now_s)
        await self._answer(Code.OK)
        return 0

    def _sequence(self, names: list[str]) -> list[Technique]:
        return [
            Technique(name, {key: float(self.value(_parameter_pv(name, key))) for key in PARAMETERS[name]})
            for name in names
        ]

    async def _answer(self, code: Code) -> None:
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
            "STATE": int(channel.running),
            "TECHID": channel.technique_id,
            "TECHIND": channel.index,
            "LOOP": channel.num_loops,
        }
        for name, value in values.items():
            if self.value(name) != value:
                await getattr(self, attribute_name(name)).write(value, verify_value=False, timestamp=poll_s)
