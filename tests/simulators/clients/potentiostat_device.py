"""As guard and acquisition at once: lets the product's device run techniques on the simulated potentiostat."""

import json
import sys
import threading
import time
from pathlib import Path

from operando.model.beamline import load_beamline
from operando.model.channel_access import client_environment, prepare
from operando.model.clock import RehearsalClock

path = Path(sys.argv[1])
beamline = load_beamline(path)
access = beamline.channel_access
prepare(client_environment([*access.instruments], {}, repeater_port=access.repeater_port))

import epics  # noqa: E402

from devices.potentiostat import Potentiostat, PotentiostatError  # noqa: E402
from devices.techniques import ConstantCurrentWithLimit, ConstantVoltage, OpenCircuitVoltage  # noqa: E402

PREFIX = f"{beamline.potentiostat.prefix}C{beamline.potentiostat.channel}:"
assert beamline.clock is not None
address = beamline.clock.host, beamline.clock.port
guard = RehearsalClock(address, path.parent / beamline.clock.page, role="guard")
other = RehearsalClock(address, path.parent / beamline.clock.page, role="acquisition")
threading.Thread(target=other.sleep_until, args=(guard.now() + 1e6,), daemon=True).start()
potentiostat = Potentiostat(PREFIX, name="potentiostat")
potentiostat.connect()


def snapshot() -> list[object]:
    found = potentiostat.poll()
    assert found is not None
    return [found.voltage_v, found.current_a, found.state.name, found.technique_index]


def read(name: str) -> object:
    value = epics.caget(PREFIX + name, use_monitor=False)
    return value if isinstance(value, str | int | float) else [float(element) for element in value]


# A limit that another program left behind: it would end the constant current at once.
epics.caput(f"{PREFIX}T:CPLIMIT:0:TEST3CONF:SP", [5, 5, 5], wait=True)
epics.caput(f"{PREFIX}T:CPLIMIT:0:TEST3VAL:SP", [-9.0, -9.0, -9.0], wait=True)
discharge = ConstantCurrentWithLimit(-1e-4, float(sys.argv[2]), 36_000.0)
potentiostat.load([discharge, ConstantVoltage(float(sys.argv[2]), 600.0, 1e-4)])
loaded, steps = read("LOADTECH"), read("T:CPLIMIT:0:ISTEP")
potentiostat.start()
begin_s = guard.now()
rows = []
for second in range(2, 1200, 2):
    guard.sleep_until(begin_s + second)
    rows.append([second, *snapshot()])
potentiostat.stop()
guard.sleep_until(guard.now() + 2.0)
stopped = snapshot()
try:
    potentiostat.load([ConstantVoltage(0.1, 60.0, 1e-4), OpenCircuitVoltage(float("nan"))])
    refused = ""
except PotentiostatError as error:
    refused = str(error)
still_loaded = read("LOADTECH")
potentiostat.load([OpenCircuitVoltage(10.0), ConstantVoltage(0.1, 10.0, 1e-4), OpenCircuitVoltage(20.0)])
potentiostat.start()
begin_s = guard.now()
second_rows = []
for second in (5, 15, 35, 45):
    guard.sleep_until(begin_s + second)
    second_rows.append(snapshot())
guard.close()
other.close()
begin_s = time.monotonic()
try:
    Potentiostat("NOBODY:C0:", name="nobody").load([discharge], timeout_s=1.0)
    gone = ""
except PotentiostatError as error:
    gone = str(error)
gone_s = time.monotonic() - begin_s
answer = {"loaded": loaded, "steps": steps, "rows": rows, "stopped": stopped, "refused": refused}
print(json.dumps(answer | {"still_loaded": still_loaded, "second_rows": second_rows, "gone": gone, "gone_s": gone_s}))
