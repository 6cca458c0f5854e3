"""Another Channel Access client, which nobody expects at the instruments."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from operando.model.beamline import Beamline, load_beamline
from tests.support.processes import Rehearsal

PUT = Path(__file__).parents[1] / "system" / "clients" / "put.py"


def beamline_of(run: Rehearsal) -> Beamline:
    """Return where the instruments of a run answer."""
    return load_beamline(run.directory / "beamline.toml")


def put(run: Rehearsal, *pairs: tuple[str, Any]) -> None:
    """Put values to process variables, in order, from a process of its own."""
    put_at(run.directory / "beamline.toml", *pairs)


def put_at(file: Path, *pairs: tuple[str, Any]) -> None:
    """Put values to process variables of a beamline file's instruments, in order, from a process of its own."""
    subprocess.run([sys.executable, str(PUT), str(file), json.dumps(pairs)], check=True, timeout=60)


def impose_current(run: Rehearsal, current_a: float) -> None:
    """Have the potentiostat hold a current that no plan asked for."""
    put(run, *held_current(beamline_of(run), current_a))


def held_current(beamline: Beamline, current_a: float) -> list[tuple[str, Any]]:
    """What to put, in order, so that the potentiostat of a beamline holds a current for an hour."""
    potentiostat = beamline.potentiostat
    channel = f"{potentiostat.prefix}C{potentiostat.channel}:"
    technique = f"{channel}T:CP:0:"
    return [
        (f"{channel}STOP", 1),
        (f"{technique}ISTEP:SP", [current_a]),
        (f"{technique}DURSTEP:SP", [3600.0]),
        (f"{technique}VSINIT:SP", [0]),
        (f"{technique}STEPN:SP", 0),
        (f"{technique}IRANGE:SP", 5),
        (f"{channel}LOADTECH:SP", "cp"),
        (f"{channel}START", 1),
    ]
