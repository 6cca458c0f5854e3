"""The beamline file of a rehearsal: where its simulated instruments answer."""

import json
from dataclasses import dataclass
from pathlib import Path

from operando.model.beamline import Calibration

INTERFACE = "127.0.0.1"
PREFIX = "SIM:"
CONTROL_PREFIX = "SIMULATION:"  # of what no beamline has: the simulation's own controls
CHANNEL = 0
CHIP_COLUMNS = 4008
CHIP_ROWS = 2672
SAMPLE_X_LIMITS_MM = (-50.0, 50.0)
MIN_FRAME_PERIOD_S = 0.05
MAX_CURRENT_A = 1e-3
AMPLIFIER_V = 10.0  # output of the force amplifier at full scale, wired to the potentiostat's auxiliary input 1
PAGE = "clock.page"
FAULTS_FILE = "faults.jsonl"
FAULTS_TOKEN = "faults.token"
LOAD_CELL_LINK = "load_cell"
PREVIEW = f"{PREFIX}camera:Pva1:Image"


@dataclass(frozen=True)
class Ports:
    """One of each that a rehearsal needs."""

    instruments: int
    guard: int
    results: int
    repeater: int
    pv_access_tcp: int
    pv_access_udp: int
    clock: int


def beamline_text(directory: Path, ports: Ports, *, full_scale_n: float, calibration: Calibration) -> str:
    """Return the file's text; ``directory`` is where it and the load cell's link lie."""
    return f'''name = "simulated"
rehearsal = true

[channel_access]
instruments = ["{INTERFACE}:{ports.instruments}"]
interface = "{INTERFACE}"
guard_port = {ports.guard}
results_port = {ports.results}
repeater_port = {ports.repeater}

[pv_access]
address = "{INTERFACE}:{ports.pv_access_udp}"
preview = "{PREVIEW}"

[clock]
host = "{INTERFACE}"
port = {ports.clock}
page = "{PAGE}"

[rotation_stage]
prefix = "{PREFIX}rotation"

[sample_x]
prefix = "{PREFIX}sample_x"
low_limit_mm = {SAMPLE_X_LIMITS_MM[0]}
high_limit_mm = {SAMPLE_X_LIMITS_MM[1]}

[shutter]
prefix = "{PREFIX}shutter:"

[camera]
prefix = "{PREFIX}camera:"
chip_columns = {CHIP_COLUMNS}
chip_rows = {CHIP_ROWS}
min_frame_period_s = {MIN_FRAME_PERIOD_S}

[potentiostat]
prefix = "{PREFIX}ECLAB:"
channel = {CHANNEL}
max_current_a = {MAX_CURRENT_A}
force_input = {{ number = 1, volts = [0.0, {AMPLIFIER_V}], force_n = [0.0, {full_scale_n}] }}

[load_cell]
port = {json.dumps(str(directory / LOAD_CELL_LINK))}
full_scale_n = {full_scale_n}

[load_cell.calibration]
id = "{calibration.id}"
date = "{calibration.date}"
counts = [{calibration.counts[0]}, {calibration.counts[1]}]
force_n = [{calibration.force_n[0]}, {calibration.force_n[1]}]

[temperature]
pv = "{PREFIX}TEMPERATURE"

[ring_current]
pv = "{PREFIX}RING_CURRENT"

[guard]
prefix = "{PREFIX}guard:"

[results]
prefix = "{PREFIX}results:"
'''
