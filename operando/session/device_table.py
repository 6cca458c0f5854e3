"""Connecting to every device of a beamline and showing what it reads."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from operando.session.beamline_access import enter_beamline
from operando.session.errors import EXIT_COMPLETE, EXIT_FAILED
from operando.session.layout import open_run_directory


def print_devices(path: Path, console: Console) -> int:
    """Print one line per reading of every device; unreachable devices are named and give exit code 1."""
    beamline = enter_beamline(open_run_directory(path).beamline if path.is_dir() else path)

    from devices.connection import DeviceConnectionError, connect
    from operando.model.clock import SystemClock
    from operando.session.beamline_devices import all_devices

    table = Table("device", "reading", "value", "unit")
    exit_code = EXIT_COMPLETE
    for device in all_devices(beamline, SystemClock()).all:
        try:
            connect([device], 3.0)
        except DeviceConnectionError as error:
            table.add_row(device.name, "not connected", str(error), "")
            exit_code = EXIT_FAILED
            continue
        described = device.describe()
        for key, reading in device.read().items():
            table.add_row(device.name, key, str(reading["value"]), str(described[key].get("units") or ""))
    console.print(table)
    return exit_code
