"""The table of measurements as a file that any program reads."""

import csv
from pathlib import Path

from operando.monitor.reading.run_view import MeasurementView

HEADINGS = ("state", "quantity", "value", "uncertainty", "unit", "flags")


def write_measurements(path: Path, measurements: tuple[MeasurementView, ...]) -> None:
    """Write one line for each value; a point is the decimal mark, and what is not known is empty.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        for entry in measurements:
            numbers = ("" if number != number else repr(number) for number in (entry.value, entry.uncertainty))
            writer.writerow((entry.tomogram, entry.name, *numbers, entry.unit, " ".join(entry.flags)))
