"""As another Channel Access client that waits: puts values whenever a line on stdin says so, and tells what it sees."""

import json
import sys
from pathlib import Path

from operando.model.beamline import load_beamline
from operando.model.channel_access import client_environment, prepare

access = load_beamline(Path(sys.argv[1])).channel_access
prepare(client_environment([*access.instruments], {}, repeater_port=access.repeater_port))

import epics  # noqa: E402

channels = {name: epics.PV(name, auto_monitor=True) for name in sys.argv[2:]}
for name, channel in channels.items():
    assert channel.wait_for_connection(10), name
print("ready", flush=True)
for line in sys.stdin:
    for name, value in json.loads(line):
        channels[name].put(value)
        channels[name].get(use_monitor=False)  # the reply comes after the put
    print(json.dumps({name: channel.value for name, channel in channels.items()}), flush=True)  # also if it is gone now
