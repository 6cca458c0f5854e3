"""What simulated instruments share to answer Channel Access: stamps of virtual time, groups from ophyd classes."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import caproto._data
from caproto import ChannelType
from caproto.server import PVGroup, pvproperty
from ophyd import EpicsSignal, EpicsSignalRO
from ophyd.areadetector.base import EpicsSignalWithRBV
from ophyd.areadetector.paths import EpicsPathSignal

LONG_STRING_LENGTH = 256  # areaDetector's MAX_FILENAME_LEN

ENUMS = {
    "Acquire": ("Done", "Acquire"),
    "ArrayCallbacks": ("Disable", "Enable"),
    "AutoIncrement": ("No", "Yes"),
    "AutoSave": ("No", "Yes"),
    "BlockingCallbacks": ("No", "Yes"),
    "Capture": ("Done", "Capture"),
    "ColorMode": ("Mono", "Bayer", "RGB1"),
    "Compression": ("None", "N-bit", "szip", "zlib", "Blosc"),
    "DataType": ("Int8", "UInt8", "Int16", "UInt16", "Int32", "UInt32", "Float32", "Float64"),
    "DetectorState": ("Idle", "Acquire", "Readout", "Correct", "Saving", "Aborting", "Error", "Waiting"),
    "EnableCallbacks": ("Disable", "Enable"),
    "FilePathExists": ("No", "Yes"),
    "FileWriteMode": ("Single", "Capture", "Stream"),
    "ImageMode": ("Single", "Multiple", "Continuous"),
    "LazyOpen": ("No", "Yes"),
    "ReverseX": ("No", "Yes"),
    "ReverseY": ("No", "Yes"),
    "StoreAttr": ("No", "Yes"),
    "StorePerform": ("No", "Yes"),
    "SWMRActive": ("Off", "Active"),
    "SWMRMode": ("Off", "On"),
    "SWMRSupported": ("Not Supported", "Supported"),
    "TriggerMode": ("Internal", "External"),
    "WriteFile": ("Done", "Write"),
    "WriteStatus": ("Write OK", "Write error"),
}
LONG_STRINGS = (
    "FileName", "FilePath", "FileTemplate", "FullFileName", "NDAttributesFile", "StatusMessage", "StringFromServer",
    "StringToServer", "WriteMessage", "XMLErrorMsg", "XMLFileName",
)  # fmt: skip
STRING_BEGINNINGS = (
    "ADCoreVersion", "DimAttDatasets", "DriverVersion", "ExtraDimName", "FirmwareVersion", "Manufacturer", "Model",
    "NDArrayPort", "PluginType", "PortName", "PosIndexDim", "PosNameDim", "SDKVersion", "SerialNumber", "TempSuffix",
)  # fmt: skip
INTEGER_BEGINNINGS = (
    "Array", "Bin", "CreateDirectory", "Dim", "Dropped", "FileNumber", "Max", "Min", "NDim", "Num", "Pool", "Queue",
    "Size", "Unique", "Zlevel",
)  # fmt: skip
FLOATS = ("ArrayRate", "MaxArrayRate", "MaxByteRate", "MinCallbackTime", "PoolMaxMem", "PoolUsedMem")


def stamp_with(now: Callable[[], float]) -> None:
    """Let every process variable of this process that is written without a stamp carry the time of ``now``.

    Raises
    ------
    RuntimeError
        If caproto changed, so that stamps would silently be the host's.
    """
    if not hasattr(caproto._data, "time"):  # noqa: SLF001
        raise RuntimeError("caproto._data no longer takes its stamps from the module time: renew this function.")
    caproto._data.time = SimpleNamespace(time=now)  # noqa: SLF001


def pv_names(device_class: Any) -> list[str]:
    """Return the suffix of every process variable that the EPICS signals of an ophyd class look for."""
    signals: list[tuple[Any, str]] = []
    for component in device_class._sig_attrs.values():  # noqa: SLF001
        if hasattr(component, "defn"):  # a dynamic component holds several signals
            signals += [(kind, suffix) for kind, suffix, _ in component.defn.values()]
        elif (
            isinstance(component.cls, type)
            and issubclass(component.cls, EpicsSignal | EpicsSignalRO)
            and component.suffix
        ):
            signals.append((component.cls, component.suffix))
    names: list[str] = []
    for kind, suffix in signals:
        mirrored = issubclass(kind, EpicsSignalWithRBV | EpicsPathSignal)
        names += [suffix, suffix + "_RBV"] if mirrored else [suffix]
    return list(dict.fromkeys(names))


def _property(name: str, default: object) -> Any:
    base = name.removesuffix("_RBV")
    if base in ENUMS:
        return pvproperty(name=name, value=default or 0, dtype=ChannelType.ENUM, enum_strings=list(ENUMS[base]))
    if base in LONG_STRINGS:
        text = str(default or "")
        return pvproperty(
            name=name, value=text, dtype=ChannelType.CHAR, max_length=LONG_STRING_LENGTH, string_encoding="latin-1"
        )
    if base.startswith(STRING_BEGINNINGS):
        return pvproperty(name=name, value=str(default or ""), dtype=ChannelType.STRING)
    if base.startswith(INTEGER_BEGINNINGS) and base not in FLOATS:
        return pvproperty(name=name, value=int(str(default or 0)), dtype=ChannelType.LONG)
    return pvproperty(name=name, value=float(str(default or 0.0)), dtype=ChannelType.DOUBLE, precision=4)


def properties(names: Iterable[str], defaults: Mapping[str, object]) -> dict[str, Any]:
    """Return the attributes of a :class:`MirroredGroup` with these process variables.

    X and X_RBV share the default of X. A dot in a name cannot stand in an attribute's name.
    """
    return {attribute_name(name): _property(name, defaults.get(name.removesuffix("_RBV"))) for name in names}


def attribute_name(name: str) -> str:
    """Return the attribute of a group that holds a process variable."""
    return "pv_" + name.replace(".", "__").replace(":", "__")


_SETPOINT = attribute_name(":SP").removeprefix("pv_")


class MirroredGroup(PVGroup):  # type: ignore[misc]
    """Copies a put of X into X_RBV, or of X:SP into X.

    A coroutine ``on_X(value)`` replaces the copy and runs before the put completes.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for attribute in self._pvs_:
            name = attribute.removeprefix("pv_")
            if attribute.startswith("pv_") and not name.endswith("_RBV"):
                channel = getattr(self, attribute)
                channel.verify_value = self._reacting(name, channel.verify_value)

    def _reacting(self, name: str, verify: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
        readback = getattr(self, f"pv_{name}_RBV", None)
        if name.endswith(_SETPOINT):
            readback = getattr(self, "pv_" + name.removesuffix(_SETPOINT), None)
        react = getattr(self, "on_" + name, None)

        async def verify_and_react(value: Any) -> Any:
            checked = await verify(value)
            value = value if checked is None else checked
            if react is not None:
                answer = await react(value)
                return value if answer is None else answer
            if readback is not None:
                await readback.write(value, verify_value=False)
            return value

        return verify_and_react

    def value(self, name: str) -> Any:
        """Return the value of a process variable; an enum's is its index, a text's has no padding."""
        channel = getattr(self, attribute_name(name))
        value = channel.value
        if hasattr(channel, "enum_strings"):
            return self.index_of(name, value)
        return value.rstrip("\0") if isinstance(value, str) else value

    def index_of(self, name: str, value: Any) -> int:
        """Return the index of an enum's value, which may arrive as its text or as its number."""
        return (
            list(getattr(self, attribute_name(name)).enum_strings).index(value)
            if isinstance(value, str)
            else int(value)
        )

    async def post(self, **values: Any) -> None:
        """Publish values without reacting to them."""
        for name, value in values.items():
            await getattr(self, attribute_name(name)).write(value, verify_value=False)

    async def post_changes(self, **values: Any) -> None:
        """Publish those values that differ from what the process variables hold."""
        for name, value in values.items():
            if self.value(name) != value:
                await getattr(self, attribute_name(name)).write(value, verify_value=False)
