"""As guard and acquisition at once: holds a current on the resistor, then a voltage, and reads what is published."""

import json
import sys
import threading
from pathlib import Path

from operando.model.beamline import load_beamline
from operando.model.channel_access import client_environment, prepare
from operando.model.clock import RehearsalClock

path = Path(sys.argv[1])
beamline = load_beamline(path)
access = beamline.channel_access
prepare(client_environment([*access.instruments], {}, repeater_port=access.repeater_port))

import epics  # noqa: E402

PREFIX = f"{beamline.potentiostat.prefix}C{beamline.potentiostat.channel}:"
assert beamline.clock is not None
address = beamline.clock.host, beamline.clock.port
guard = RehearsalClock(address, path.parent / beamline.clock.page, role="guard")
other = RehearsalClock(address, path.parent / beamline.clock.page, role="acquisition")
threading.Thread(target=other.sleep_until, args=(guard.now() + 1e6,), daemon=True).start()


def put(name: str, value: object) -> None:
    assert epics.caput(PREFIX + name, value, wait=True, timeout=5) == 1, name


def get(name: str) -> float:
    return float(epics.caget(PREFIX + name, use_monitor=False))


put("START", 1)
nothing_loaded = get("OPTERR")
parameters = {"ISTEP": [-1e-5], "DURSTEP": [10.0], "VSINIT": [0], "IRANGE": 5, "STEPN": 0, "EXITCOND": [1]}
tests = {f"TEST{number}CONF": [int(number == 1)] for number in (1, 2, 3)}
levels = {f"TEST{number}VAL": [-1.0] for number in (1, 2, 3)}
for name, value in (parameters | tests | levels).items():
    put(f"T:CPLIMIT:0:{name}:SP", value)
for name, value in {"VSTEP": [0.02], "DURSTEP": [60.0], "VSINIT": [0], "STEPN": 0}.items():
    put(f"T:CA:0:{name}:SP", value)
put("LOADTECH:SP", "cplimit,ca")
put("START", 1)
error, begin_s = get("OPTERR"), guard.now()
rows = []
for second in (2, 4, 9, 12, 40, 75):
    guard.sleep_until(begin_s + second)
    rows.append([second, *(get(name) for name in ("EWE", "I", "STATE", "TECHIND", "TECHID", "TIME", "Q"))])
put("STOP", 1)
guard.close()
other.close()
print(json.dumps({"nothing_loaded": nothing_loaded, "error": error, "rows": rows}))
