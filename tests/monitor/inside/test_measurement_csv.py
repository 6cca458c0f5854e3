from math import nan
from pathlib import Path

import pytest

from operando.monitor.inside.measurement_csv import write_measurements
from operando.monitor.reading.run_view import MeasurementView


def test_the_table_is_written_with_points_units_and_flags(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_measurements(
        path,
        (
            MeasurementView("OCV", "voltage", 2.3077, "V", 0.00015, ()),
            MeasurementView("OCV", "crack_volume", nan, "um3", nan, ("below_detection", "quick")),
        ),
    )
    assert path.read_text().splitlines() == [
        "state,quantity,value,uncertainty,unit,flags",
        "OCV,voltage,2.3077,0.00015,V,",
        "OCV,crack_volume,,,um3,below_detection quick",
    ]


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        write_measurements(tmp_path / "missing" / "table.csv", ())
