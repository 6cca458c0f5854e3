"""A cell file with a slip of the pen is refused before a cell is made of it."""

import re
from pathlib import Path

import pytest

from operando.model.toml_file import FileFormatError
from simulators.cell_parameters import load_cell
from simulators.cell_ranges import RANGES

SHIPPED = Path(__file__).parents[2] / "experiments" / "cus_26mpa.cell.toml"


def test_the_shipped_cell_is_within_every_range() -> None:
    load_cell(SHIPPED)


@pytest.mark.parametrize(
    "key", [key for key in RANGES if key.count(".") == 1 and not key.startswith(("copper.s", "cycling."))]
)
@pytest.mark.parametrize("value", ["-1e30", "1e30"])
def test_a_number_that_no_cell_has_is_refused_with_its_key_and_range(tmp_path: Path, key: str, value: str) -> None:
    table, name = key.split(".")
    text = SHIPPED.read_text(encoding="utf-8")
    head, body = text.split(f"[{table}]\n", 1)
    changed = re.sub(rf"(?m)^({name} = {{ value = )[^,]+", rf"\g<1>{value}", body, count=1)
    assert changed != body
    path = tmp_path / "cell.toml"
    path.write_text(f"{head}[{table}]\n{changed}", encoding="utf-8")
    with pytest.raises(FileFormatError) as caught:
        load_cell(path)
    assert f"{path}: {key} = {float(value):g}" in str(caught.value)
    assert "allowed is" in str(caught.value)


def test_a_smallest_diameter_above_the_largest_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cell.toml"
    text = SHIPPED.read_text(encoding="utf-8")
    path.write_text(text.replace("min_diameter = { value = 20.0", "min_diameter = { value = 80.0"), encoding="utf-8")
    with pytest.raises(FileFormatError, match=r"80 um: must be below particles\.max_diameter, 74 um"):
        load_cell(path)


def test_a_bare_number_is_refused_with_the_keys_of_the_table_that_it_must_be(tmp_path: Path) -> None:
    path = tmp_path / "cell.toml"
    text = SHIPPED.read_text(encoding="utf-8")
    path.write_text(re.sub(r"(?m)^bore_diameter = .*$", "bore_diameter = -1", text, count=1), encoding="utf-8")
    with pytest.raises(FileFormatError, match=r"layers\.bore_diameter = -1: must be a table with the keys .*unit"):
        load_cell(path)


@pytest.mark.parametrize(
    ("key", "value"), [("lithium_diameter", "6.5"), ("median_diameter", "90.0"), ("relaxation_in_24_h", "27.0")]
)
def test_numbers_that_contradict_each_other_are_refused(tmp_path: Path, key: str, value: str) -> None:
    path = tmp_path / "cell.toml"
    path.write_text(re.sub(rf"(?m)^{key} = {{ value = [0-9.]+", f"{key} = {{ value = {value}", SHIPPED.read_text()))
    with pytest.raises(FileFormatError, match=rf"{key} = .*must not be above"):
        load_cell(path)
