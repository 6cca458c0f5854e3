"""Moves the sample stage to argument 2 and prints where it is."""

import json
import sys
from pathlib import Path

from operando.model.beamline import load_beamline
from operando.model.channel_access import client_environment, prepare

beamline = load_beamline(Path(sys.argv[1]))
access = beamline.channel_access
prepare(client_environment([*access.instruments], {}, repeater_port=access.repeater_port))

import epics  # noqa: E402

assert epics.caput(beamline.sample_x.prefix, float(sys.argv[2]), wait=True, timeout=20) == 1
print(json.dumps({"position": epics.caget(f"{beamline.sample_x.prefix}.RBV", use_monitor=False)}))
