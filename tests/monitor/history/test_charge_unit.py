from pathlib import Path

import pytest

from operando.monitor.history.charge_unit import read_charge_unit


def test_the_mass_of_the_experiment_makes_charge_specific(tmp_path: Path) -> None:
    path = tmp_path / "experiment.toml"
    path.write_text('[cell]\nactive_mass = "1.152 mg"\n')
    unit = read_charge_unit(path)
    assert unit.is_specific
    assert 0.576 * unit.factor == pytest.approx(500.0)
    assert (unit.text, unit.problem) == ("mAh/g", "")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (None, "There is no"),
        ("", "tells no cell.active_mass"),
        ("cell = 5", "tells no cell.active_mass"),
        ('[cell]\nactive_mass = "1 V"', "cannot be read"),
        ('[cell]\nactive_mass = "0 mg"', "is 0 mg"),
        ("[cell", "cannot be read"),
    ],
)
def test_without_a_mass_charge_is_in_mah_and_the_reason_is_told(tmp_path: Path, text: str | None, word: str) -> None:
    path = tmp_path / "experiment.toml"
    if text is not None:
        path.write_text(text)
    unit = read_charge_unit(path)
    assert (unit.factor, unit.text) == (1.0, "mAh")
    assert word in unit.problem
    assert "charge is in mAh" in unit.problem
