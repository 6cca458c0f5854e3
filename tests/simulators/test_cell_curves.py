"""A cell file whose curves no cell can follow is refused, with the key and what is wrong with it."""

from pathlib import Path

import pytest

from operando.model.toml_file import FileFormatError
from simulators.cell_parameters import load_cell

SHIPPED = Path(__file__).parents[2] / "experiments" / "cus_26mpa.cell.toml"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "cut_off_voltage = { value = 3.0",
            "cut_off_voltage = { value = 0.9",
            r"cut_off_voltage = 0\.9 V: .*above 0\.95 V",
        ),
        (
            "taken_fraction = { value = [0.0, ",
            "taken_fraction = { value = [0.01, ",
            r"from 0\.01 to 1; it must go from 0 to 1",
        ),
        ("voltage = { value = [2.28, 2.10", "voltage = { value = [2.28, 2.30", r"discharge\.voltage: .* must fall"),
        (
            "specific_charge = { value = [0.0, 8.0",
            "specific_charge = { value = [0.0, 80.0",
            "must rise from point to point",
        ),
        ("capacity_kept = { value = [1.0, ", "capacity_kept = { value = [", "capacity_kept: has 2 points, cycle has 3"),
    ],
)
def test_curves_that_no_cell_can_follow_are_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "cell.toml"
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(FileFormatError, match=said):
        load_cell(path)
