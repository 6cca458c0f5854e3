"""Prints type and element count of process variables of the potentiostat, their names given on standard input."""

import json
import sys
from pathlib import Path

from operando.model.beamline import load_beamline
from operando.model.channel_access import client_environment, prepare

beamline = load_beamline(Path(sys.argv[1]))
access = beamline.channel_access
prepare(client_environment([*access.instruments], {}, repeater_port=access.repeater_port))

import epics  # noqa: E402

TIMEOUT_S = 20.0
channels = {name: epics.ca.create_channel(name, connect=False) for name in json.loads(Path(sys.argv[2]).read_text())}
found = {}
for name, channel in channels.items():
    if epics.ca.connect_channel(channel, timeout=TIMEOUT_S):
        found[name] = epics.dbr.Name(epics.ca.field_type(channel)), epics.ca.element_count(channel)
state = epics.caget(f"{beamline.potentiostat.prefix}C0:STATE", as_string=True)
print(json.dumps({"found": found, "state": state}))
