"""The process variables of ISIS EPICS-ECLab as its database publishes them: names, types, element counts, defaults."""

from typing import Any

from caproto import ChannelType
from caproto.server import pvproperty

from simulators.channel_access_server import attribute_name

STATES = ("Stopped", "Running", "Paused")
NO_YES = ("No", "Yes")
LONG_TEXT = 256
READINGS = {
    "EWE": "V", "ECE": "V", "I": "A", "TIME": "s", "RCOMP": "ohm", "FREQ": "Hz", "TB": "s", "DATA_START": "s",
    "MEMFILLED:PCT": "%",
}  # fmt: skip
COUNTERS = (
    "NUMTECH", "MEMFILLED", "TECHID", "TECHIND", "LOOP", "IOVERFLOW", "EOVERFLOW", "SATURATION", "OPTERR", "OPTPOS",
    "IRQSKIPPED",
)  # fmt: skip
GROUNDS = ("Grounded", "Floating")
CONNECTIONS = ("Standard", "CE To Ground", "Wet to Ground", "HV")
ENUMS = {
    "STATE": STATES, "START": ("", "Starting"), "STOP": ("", "Stopping"), "UPDATE:SP": (), "DATADONE": NO_YES,
    "SAVEDATA": NO_YES, "SAVEDATA:SP": NO_YES, "HWCONF:GROUND": GROUNDS, "HWCONF:GROUND:SP": GROUNDS,
    "HWCONF:CONN": CONNECTIONS, "HWCONF:CONN:SP": CONNECTIONS,
}  # fmt: skip
TEXTS = ("LOADTECH", "LOADTECH:SP", "DEFINETECH", "DEFINETECH:SP")
LONG_TEXTS = ("FILEPREFIX", "FILEPREFIX:SP", "FILENAME")
INITIALLY_ONE = ("SAVEDATA", "SAVEDATA:SP", "DATADONE")
FILE_PREFIX = "eclab"
COMMANDS = ("LOADTECH:SP", "START", "STOP", "UPDATE:SP")  # each shows by an alarm of its own that it was refused

# A technique's parameters that are one number: the type of the default is that of the record.
_RANGES = {"IRANGE": 8, "ERANGE": 3, "BW": 5, "XCTR": 0}
_STEPS = {"STEPN": 1, "NCYCLES": 0} | _RANGES
_GALVANOSTATIC = {"REDT": 50e-3, "REDE": 5e-3} | _STEPS
_POTENTIOSTATIC = {"REDT": 1e-6, "REDI": 1e-3} | _STEPS
SCALARS: dict[str, dict[str, float | bool]] = {
    "OCV": {"RTT": 1.0, "REDE": 0.01, "REDT": 0.01, "TB": 20e-6} | _RANGES,
    "CP": {"TB": 25e-6} | _GALVANOSTATIC,
    "CPLIMIT": {"TB": 40e-6} | _GALVANOSTATIC,
    "CA": {"TB": 25e-6} | _POTENTIOSTATIC,
    "CALIMIT": {"TB": 40e-6} | _POTENTIOSTATIC,
    "CV": {"TB": 45e-6, "REDE": 0.01, "BMI": 0.0, "EMI": 0.0, "NCYCLES": 0, "SNUM": 2, "ADE": False}
    | _RANGES
    | {"IRANGE": 12},
    "PEIS": dict.fromkeys(
        ("IVSTEP", "FVSTEP", "DURSTEP", "REDT", "REDI", "FINFREQ", "INIFREQ", "AMPV", "WFS", "TB"), 0.0
    )
    | dict.fromkeys(("IRANGE", "ERANGE", "BW", "STEPN", "NFREQ", "NAVRG"), 0)
    | dict.fromkeys(("VSINIT", "VSFINAL", "SWEEP", "CORR"), False),
    "LOOP": {"NLOOP": 0, "PROT": 0},
    "TO": {"LOGIC": 0, "DUR": 0},
    "TI": {"LOGIC": 0},
    "TOS": {"LOGIC": 0},
}

# Parameters with one element for each step of the technique.
NUM_ELEMENTS = {"CP": 100, "CA": 100, "CPLIMIT": 20, "CALIMIT": 20, "CV": 5, "LASV": 20}
_TESTS: dict[str, type] = {f"TEST{number}CONF": int for number in (1, 2, 3)}
_TESTS |= {f"TEST{number}VAL": float for number in (1, 2, 3)} | {"EXITCOND": int}
_CURRENT: dict[str, type] = {"ISTEP": float, "DURSTEP": float, "VSINIT": bool}
_VOLTAGE: dict[str, type] = {"VSTEP": float, "DURSTEP": float, "VSINIT": bool}
ARRAYS: dict[str, dict[str, type]] = {
    "CP": _CURRENT,
    "CPLIMIT": _CURRENT | _TESTS,
    "CA": _VOLTAGE,
    "CALIMIT": _VOLTAGE | _TESTS,
    "CV": {"VSTEP": float, "SCANRATE": float, "VSINIT": bool},
    "LASV": {"NUMP": int},
}
INSTANCES = {"OCV": (0, 1)}  # of every other technique there is only the first


def parameter_name(technique: str, instance: int, parameter: str) -> str:
    """Return the name of a parameter's readback; its setpoint ends with ``:SP``."""
    return f"T:{technique}:{instance}:{parameter}"


def _scalar(name: str, default: float | bool) -> Any:
    if isinstance(default, bool):
        return pvproperty(name=name, value=int(default), dtype=ChannelType.ENUM, enum_strings=[])
    if isinstance(default, int):
        return pvproperty(name=name, value=default)
    return pvproperty(name=name, value=default, precision=3)


def _array(name: str, kind: type, num_elements: int) -> Any:
    if kind is bool:
        return pvproperty(name=name, value=b"", dtype=bytes, max_length=num_elements, strip_null_terminator=False)
    dtype = ChannelType.FLOAT if kind is float else ChannelType.LONG
    return pvproperty(name=name, value=[], dtype=dtype, max_length=num_elements)


def _group(name: str) -> dict[str, str]:
    return {"alarm_group": name} if name in COMMANDS else {}


def channel_properties() -> dict[str, Any]:
    """Return the attributes of a group that serves one channel."""
    found = {
        name: pvproperty(name=name, value=0.0, precision=6 if name == "TB" else 3, units=unit)
        for name, unit in READINGS.items()
    }
    found |= {name: pvproperty(name=name, value=0) for name in COUNTERS}
    for name, strings in ENUMS.items():
        initial = int(name in INITIALLY_ONE)
        found[name] = pvproperty(
            name=name, value=initial, dtype=ChannelType.ENUM, enum_strings=list(strings), **_group(name)
        )
    for name in TEXTS:
        found[name] = pvproperty(name=name, value="", dtype=ChannelType.STRING, **_group(name))
    for name in LONG_TEXTS:
        text = FILE_PREFIX if name.startswith("FILEPREFIX") else ""
        found[name] = pvproperty(
            name=name, value=text, dtype=ChannelType.CHAR, max_length=LONG_TEXT, string_encoding="latin-1"
        )
    for technique in SCALARS | ARRAYS:
        for instance in INSTANCES.get(technique, (0,)):
            for parameter, default in SCALARS.get(technique, {}).items():
                name = parameter_name(technique, instance, parameter)
                found |= {each: _scalar(each, default) for each in (name, f"{name}:SP")}
            for parameter, kind in ARRAYS.get(technique, {}).items():
                name = parameter_name(technique, instance, parameter)
                found |= {each: _array(each, kind, NUM_ELEMENTS[technique]) for each in (name, f"{name}:SP")}
    return {attribute_name(name): value for name, value in found.items()}


def beyond_the_public_ioc() -> dict[str, Any]:
    """Return the attributes for what a server may have in addition: charge, an auxiliary input, what it can do."""
    charge = pvproperty(name="Q", value=0.0, precision=6, units="mAh")
    return {
        attribute_name("Q"): charge,
        attribute_name("AUX1"): pvproperty(name="AUX1", value=0.0, precision=5, units="V"),
        attribute_name("CAPABILITIES"): pvproperty(name="CAPABILITIES", value="charge", dtype=ChannelType.STRING),
    }
