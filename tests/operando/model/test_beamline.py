"""A beamline file is read whole or refused with sentences that name key, value and what is allowed."""

from pathlib import Path

import pytest

from operando.model.beamline import load_beamline
from operando.model.toml_file import FileFormatError
from simulators.beamline_file import Ports, beamline_text
from simulators.load_cell import FULL_SCALE_N, calibration


def written(folder: Path, old: str, new: str) -> Path:
    text = beamline_text(folder, Ports(*range(20000, 20007)), full_scale_n=FULL_SCALE_N, calibration=calibration())
    assert old in text
    path = folder / "beamline.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_the_simulated_beamlines_file_is_one(tmp_path: Path) -> None:
    assert load_beamline(written(tmp_path, "", "")).rehearsal


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('interface = "127.0.0.1"', 'interface = "999.1.1.1"', ["channel_access.interface", "'999.1.1.1'", "IP"]),
        ("counts = [137.0, 20137.0]", "counts = [5.0, 5.0]", ["load_cell.calibration", "counts", "differ"]),
        ("full_scale_n = 2000.0", "full_scale_n = 2000.0\ntare_counts = 32767", ["load_cell.tare_counts", "32767"]),
        ("force_n = [0.0, 2000.0]", "force_n = [nan, 1.0]", ["force_n", "nan", "finite"]),
        ('prefix = "SIM:guard:"', 'prefix = ""', ["guard.prefix", "1 to 60"]),
        ('prefix = "SIM:guard:"', 'prefix = "a b"', ["guard.prefix", "'a b'", "without spaces"]),
        ("low_limit_mm = -50.0", "low_limit_mm = 60.0", ["sample_x", "60 mm", "50 mm"]),
        ("max_current_a = 0.001", 'max_current_a = "1 mA"', ["potentiostat.max_current_a", "'1 mA'", "a number"]),
        ("channel = 0", "channel = -1", ["potentiostat.channel = -1"]),
        ("[temperature]", "[thermometer]", ["temperature: is missing", "thermometer: unknown key"]),
    ],
)
def test_a_mistake_is_told_with_key_value_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, said: list[str]
) -> None:
    path = written(tmp_path, old, new)
    with pytest.raises(FileFormatError) as caught:
        load_beamline(path)
    for part in [str(path), *said]:
        assert part in str(caught.value)


def test_two_servers_cannot_share_a_port(tmp_path: Path) -> None:
    path = written(tmp_path, "", "")
    beamline = load_beamline(path).channel_access
    path.write_text(
        path.read_text().replace(f"guard_port = {beamline.guard_port}", f"guard_port = {beamline.results_port}")
    )
    with pytest.raises(FileFormatError, match=f"both {beamline.results_port}"):
        load_beamline(path)
