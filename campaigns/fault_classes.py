"""Classes of faults that a campaign draws from: each gives the parameters of one fault by chance."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from campaigns.small_disk import may_mount

NUM_PROJECTIONS = 45  # of experiments/campaign.toml
Draw = Callable[[np.random.Generator], dict[str, Any]]


def _seconds(random: np.random.Generator, low: float, high: float) -> str:
    return f"{np.exp(random.uniform(np.log(low), np.log(high))):.2f} s"


def _lasting(kind: str, low_s: float, high_s: float, **parameters: Any) -> Draw:
    return lambda random: {"kind": kind, "duration": _seconds(random, low_s, high_s), **parameters}


def _lost(random: np.random.Generator) -> dict[str, Any]:
    return {"kind": "lost_frames", "num_frames": int(random.integers(1, 4)), "counted": bool(random.random() < 0.5)}


def _damaged(random: np.random.Generator) -> dict[str, Any]:
    return {"kind": "damaged_frames", "num_frames": int(random.integers(1, 4)), "garbage": bool(random.random() < 0.5)}


def _slow_disk(random: np.random.Generator) -> dict[str, Any]:
    return {"kind": "slow_disk", "duration": _seconds(random, 3, 60), "storing": _seconds(random, 0.1, 3)}


def _flicker(random: np.random.Generator) -> dict[str, Any]:
    return {"kind": "beam_flicker", "duration": _seconds(random, 0.5, 10), "period": _seconds(random, 0.05, 1)}


def _stage(kind: str) -> Draw:
    def draw(random: np.random.Generator) -> dict[str, Any]:
        fault: dict[str, Any] = {"kind": kind, "stage": str(random.choice(["rotation", "rotation", "sample_x"]))}
        if kind == "stage_stall":
            fault["duration"] = _seconds(random, 0.5, 60)
        if kind == "stage_slip":
            unit = "deg" if fault["stage"] == "rotation" else "mm"
            fault["distance"] = f"{random.choice([-1, 1]) * np.exp(random.uniform(-3, 2)):.3f} {unit}"
        return fault

    return draw


def _spike(sensor: str, low: float, high: float, unit: str) -> Draw:
    return lambda random: {"kind": "spike", "sensor": sensor, "size": f"{random.uniform(low, high):.2f} {unit}"}


def _refused(random: np.random.Generator) -> dict[str, Any]:
    command = str(random.choice(["LOADTECH", "START", "STOP"]))
    return {"kind": "refused_command", "command": command, "times": int(random.integers(1, 4))}


def _servers(random: np.random.Generator) -> dict[str, Any]:
    rebooted = bool(random.random() < 0.5)
    return {"kind": "lost_servers", "wall_duration": _seconds(random, 0.3, 5), "rebooted": rebooted}


# Those that mean something only while frames are taken begin at a frame, the others at any time.
AT_FRAMES: Mapping[str, Draw] = {
    "lost frames": _lost,
    "late frame": lambda _: {"kind": "late_frame"},
    "duplicated frames": lambda random: {"kind": "duplicated_frames", "num_frames": int(random.integers(1, 3))},
    "repeated image": lambda _: {"kind": "repeated_image"},
    "damaged frames": _damaged,
    "camera stall": _lasting("camera_stall", 0.5, 60),
    "full disk of the camera": _lasting("full_disk", 0.5, 60),
    "slow disk of the camera": _slow_disk,
    "beam loss in a tomogram": _lasting("beam_loss", 1, 600),
    "beam flicker": _flicker,
    "stage stall": _stage("stage_stall"),
    "stage stop": _stage("stage_stop"),
    "stage slip": _stage("stage_slip"),
}
AT_ANY_TIME: Mapping[str, Draw] = {
    "beam loss": _lasting("beam_loss", 1, 3600),
    "load cell frozen": _lasting("frozen_sensor", 10, 600, sensor="load_cell"),
    "load cell silent": _lasting("silent_sensor", 10, 600, sensor="load_cell"),
    "load cell spike": _spike("load_cell", -900, 1500, "N"),
    "load cell unplugged": _lasting("serial_unplug", 10, 600),
    "garbage on the serial line": _lasting("serial_garbage", 10, 600),
    "wrong checksums": _lasting("wrong_checksum", 10, 600),
    "thermometer frozen": _lasting("frozen_sensor", 10, 600, sensor="thermometer"),
    "thermometer silent": _lasting("silent_sensor", 10, 600, sensor="thermometer"),
    "thermometer not a number": _lasting("not_a_number", 5, 600, sensor="thermometer"),
    "thermometer spike": _spike("thermometer", -100, 200, "degC"),
    "potentiostat frozen": _lasting("frozen_sensor", 10, 600, sensor="potentiostat"),
    "potentiostat frozen, time goes on": _lasting("frozen_sensor", 10, 600, sensor="potentiostat", time_runs=True),
    "potentiostat silent": _lasting("silent_sensor", 10, 600, sensor="potentiostat"),
    "potentiostat not a number": _lasting("not_a_number", 5, 600, sensor="potentiostat"),
    "potentiostat spike": _spike("potentiostat", -5, 5, "V"),
    "potentiostat disconnected": _lasting("potentiostat_disconnect", 10, 600),
    "refused command": _refused,
    "early limit": lambda _: {"kind": "early_limit"},
    "potentiostat's clock jumps": lambda _: {"kind": "potentiostat_clock", "jump": "10 s"},
    "potentiostat's clock drifts": lambda _: {"kind": "potentiostat_clock", "drift_ppm": 50.0},
    "servers lost": _servers,
}
EVERYTHING = "everything"
KILLED = {
    "guard killed": "guard",
    "analysis killed": "analysis",
    "acquisition killed": "acquisition",
    "simulated beamline killed": "simulator",
    "everything killed": EVERYTHING,
}
MONITOR, MONITOR_KILLED = "monitor", "monitor killed"
LAST = ("simulated beamline killed", "everything killed")  # one that is started again has no faults
HUNG = {
    "guard hung": "guard",
    "analysis hung": "analysis",
    "acquisition hung": "acquisition",
    "simulated beamline hung": "simulator",
}
DISK = "disk"
FULL_DISK = "full disk of the run"
LONGEST_HANG_S = 8.0
CLASSES = (*AT_FRAMES, *AT_ANY_TIME, *KILLED, *HUNG, MONITOR_KILLED, *((FULL_DISK,) if may_mount() else ()))
