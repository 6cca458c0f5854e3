"""Connecting to every device of a beamline and showing what it reads."""

import operator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from operando.session.beamline_access import enter_beamline, quiet_channel_access
from operando.session.errors import EXIT_COMPLETE, EXIT_FAILED
from operando.session.layout import open_run_directory

CONNECT_TIMEOUT_S = 3.0
CAMERA_READINGS = {  # a camera has more than a hundred variables and none of them is a reading of its own; areaDetector
    "cam.acquiring": "",  # gives no units, but prescribes them
    "cam.acquire_time": "s",
    "cam.acquire_period": "s",
    "cam.num_images": "frames",
    "cam.array_size_x": "pixels",
    "cam.array_size_y": "pixels",
    "cam.chip_columns": "pixels",
    "cam.chip_rows": "pixels",
    "hdf1.num_captured": "frames",
    "hdf1.dropped_arrays": "frames",
}


def print_devices(path: Path, console: Console) -> int:
    """Print one line per reading of every device; unreachable devices are named and give exit code 1.

    Raises
    ------
    RunDirectoryError, FileFormatError
        If ``path`` is neither a run directory nor a beamline file.
    """
    beamline = enter_beamline(open_run_directory(path).beamline if path.is_dir() else path)

    from operando.model.clock import SystemClock
    from operando.session.beamline_devices import all_devices
    from operando.session.device_connection import unconnected

    quiet_channel_access()
    clock = SystemClock()
    table = Table("device", "reading")
    table.add_column("value", justify="right")
    table.add_column("unit")
    try:
        devices = all_devices(beamline, clock).all
        missing = unconnected(devices, CONNECT_TIMEOUT_S)
        for device in devices:
            if device.name not in missing:
                _add_readings(table, device)
    finally:
        clock.close()
    if table.row_count:
        console.print(table)
    for sentence in missing.values():
        console.print(sentence, style="red", soft_wrap=True, highlight=False)
    return EXIT_FAILED if missing else EXIT_COMPLETE


def _add_readings(table: Table, device: Any) -> None:
    shown = device.name
    from devices.camera import Camera  # not before the beamline was entered

    known_units = CAMERA_READINGS if isinstance(device, Camera) else dict.fromkeys(device.read_attrs, "")
    for name, known_unit in known_units.items():
        signal = operator.attrgetter(name)(device)
        described = signal.describe()
        for key, reading in signal.read().items():
            unit = str(described[key].get("units") or known_unit)
            table.add_row(shown, key.removeprefix(f"{device.name}_"), _written(reading["value"]), unit)
            shown = ""


def _written(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
