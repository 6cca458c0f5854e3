"""Names, types and element counts as the database of ISIS EPICS-ECLab publishes them (state of November 2024)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from devices import techniques
from operando.model.beamline import load_beamline
from simulators.channel_access_server import attribute_name
from simulators.potentiostat_records import beyond_the_public_ioc, channel_properties

Client = Callable[..., dict[str, Any]]
Kind = tuple[str, int]

TEXT, WHOLE, CHOICE, NUMBER = ("STRING", 1), ("LONG", 1), ("ENUM", 1), ("DOUBLE", 1)
SERVER = {"VERSION": TEXT, "HOST": TEXT, "DEVCODE": WHOLE, "NUMCHANNELS": WHOLE, "NUMSLOTS": WHOLE}
# Without _START and _STOP, which only put the two commands back to 0.
CHANNEL = {
    NUMBER: "EWE ECE I TIME RCOMP FREQ TB DATA_START MEMFILLED:PCT",
    WHOLE: "NUMTECH MEMFILLED TECHIND TECHID IOVERFLOW EOVERFLOW SATURATION OPTERR OPTPOS LOOP IRQSKIPPED",
    CHOICE: "STATE START STOP UPDATE:SP SAVEDATA SAVEDATA:SP DATADONE HWCONF:GROUND HWCONF:GROUND:SP HWCONF:CONN "
    "HWCONF:CONN:SP",
    TEXT: "LOADTECH LOADTECH:SP DEFINETECH DEFINETECH:SP",
    ("CHAR", 256): "FILEPREFIX FILEPREFIX:SP FILENAME",
}
PARAMETERS: dict[str, dict[Kind, str]] = {
    "OCV:0": {NUMBER: "RTT REDE REDT TB", WHOLE: "IRANGE ERANGE BW XCTR"},
    "OCV:1": {NUMBER: "RTT REDE REDT TB", WHOLE: "IRANGE ERANGE BW XCTR"},
    "CA:0": {
        NUMBER: "REDT REDI TB",
        WHOLE: "IRANGE ERANGE BW STEPN NCYCLES XCTR",
        ("FLOAT", 100): "VSTEP DURSTEP",
        ("CHAR", 100): "VSINIT",
    },
    "CP:0": {
        NUMBER: "REDT REDE TB",
        WHOLE: "IRANGE ERANGE BW STEPN NCYCLES XCTR",
        ("FLOAT", 100): "ISTEP DURSTEP",
        ("CHAR", 100): "VSINIT",
    },
    "CALIMIT:0": {
        NUMBER: "REDT REDI TB",
        WHOLE: "IRANGE ERANGE BW STEPN NCYCLES XCTR",
        ("FLOAT", 20): "VSTEP DURSTEP TEST1VAL TEST2VAL TEST3VAL",
        ("LONG", 20): "TEST1CONF TEST2CONF TEST3CONF EXITCOND",
        ("CHAR", 20): "VSINIT",
    },
    "CPLIMIT:0": {
        NUMBER: "REDT REDE TB",
        WHOLE: "IRANGE ERANGE BW STEPN NCYCLES XCTR",
        ("FLOAT", 20): "ISTEP DURSTEP TEST1VAL TEST2VAL TEST3VAL",
        ("LONG", 20): "TEST1CONF TEST2CONF TEST3CONF EXITCOND",
        ("CHAR", 20): "VSINIT",
    },
    "CV:0": {
        NUMBER: "TB REDE BMI EMI",
        WHOLE: "NCYCLES SNUM IRANGE ERANGE BW XCTR",
        CHOICE: "ADE",
        ("FLOAT", 5): "VSTEP SCANRATE",
        ("CHAR", 5): "VSINIT",
    },
    "PEIS:0": {
        NUMBER: "IVSTEP FVSTEP DURSTEP REDT REDI FINFREQ INIFREQ AMPV WFS TB",
        WHOLE: "IRANGE ERANGE BW STEPN NFREQ NAVRG",
        CHOICE: "VSINIT VSFINAL SWEEP CORR",
    },
    "LOOP:0": {WHOLE: "NLOOP PROT"},
    "TO:0": {WHOLE: "LOGIC DUR"},
    "TI:0": {WHOLE: "LOGIC"},
    "TOS:0": {WHOLE: "LOGIC"},
    "LASV:0": {("LONG", 20): "NUMP"},
}


def published() -> dict[str, Kind]:
    found = dict(SERVER)
    found |= {f"C0:{name}": kind for kind, names in CHANNEL.items() for name in names.split()}
    for technique, parameters in PARAMETERS.items():
        for kind, names in parameters.items():
            found |= {f"C0:T:{technique}:{name}{end}": kind for name in names.split() for end in ("", ":SP")}
    return found


def test_the_simulator_serves_what_the_public_ioc_publishes(beamline: Path, client: Client, tmp_path: Path) -> None:
    prefix = load_beamline(beamline).potentiostat.prefix
    expected = {prefix + name: kind for name, kind in published().items()}
    (tmp_path / "names.json").write_text(json.dumps(list(expected)))
    answer = client("potentiostat_names.py", beamline, str(tmp_path / "names.json"))
    assert {name: tuple(kind) for name, kind in answer["found"].items()} == expected
    assert answer["state"] in ("Stopped", "Running", "Paused")


def test_the_simulator_serves_nothing_else_but_charge_an_auxiliary_input_and_capabilities() -> None:
    expected = {attribute_name(name.removeprefix("C0:")) for name in published() if name not in SERVER}
    assert set(channel_properties()) == expected
    assert set(beyond_the_public_ioc()) == {attribute_name(name) for name in ("Q", "AUX1", "CAPABILITIES")}


def test_every_parameter_that_the_device_writes_is_published_with_the_device_s_idea_of_its_shape() -> None:
    for technique, parameters in techniques.PARAMETERS.items():
        for instance in range(techniques.NUM_INSTANCES.get(technique, 1)):
            for parameter in parameters:
                _, num_elements = published()[f"C0:T:{technique}:{instance}:{parameter}:SP"]
                assert (num_elements > 1) == (parameter in techniques.BY_STEP), (technique, parameter)
