"""As another Channel Access client: puts values to process variables of a run's instruments, one after the other."""

import json
import sys
from pathlib import Path

from operando.model.beamline import load_beamline
from operando.model.channel_access import client_environment, prepare

access = load_beamline(Path(sys.argv[1])).channel_access
prepare(client_environment([*access.instruments], {}, repeater_port=access.repeater_port))

import epics  # noqa: E402

for name, value in json.loads(sys.argv[2]):
    assert epics.caput(name, value, wait=True, timeout=10) == 1, name
