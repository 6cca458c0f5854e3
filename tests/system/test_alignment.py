"""An alignment rehearsed over real processes finds the axis where the simulator has it, and centres it."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from operando.model.json_lines import read_json_lines
from simulators.cell_parameters import load_cell
from tests.support.processes import SHORT, stops

ROOT = Path(__file__).parents[2]
PIXEL_UM = 3.52


def finer_experiment(folder: Path) -> Path:
    """The short experiment with pixels of half the size: an axis is told to a part of a pixel."""
    text = SHORT.read_text()
    for coarse, fine in (
        ("num_columns = 80", "num_columns = 160"),
        ("num_rows = 56", "num_rows = 112"),
        ("binning = 8", "binning = 4"),
        ('"7.04 um"', f'"{PIXEL_UM} um"'),
        ("../../experiments", str(ROOT / "experiments")),
    ):
        assert coarse in text
        text = text.replace(coarse, fine)
    path = folder / "finer.toml"
    path.write_text(text)
    return path


def test_a_rehearsed_alignment_centres_the_axis_and_leaves_a_picture_and_no_process(tmp_path: Path) -> None:
    folder = tmp_path / "align"
    command = [
        sys.executable,
        "-m",
        "operando.cli",
        "align",
        str(finer_experiment(tmp_path)),
        "--centre",
        "--run-dir",
        str(folder),
    ]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=ROOT, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.startswith("REHEARSAL of an alignment")

    documents = [(name, document) for name, document in read_json_lines(folder / "documents.jsonl")]
    assert set(stops(documents).values()) == {"success"}
    assert {doc["rehearsal"] for name, doc in documents if name == "start"} == {True}
    seen = [doc["data"] for name, doc in documents if name == "event" and "axis_column" in doc["data"]]
    offset_um = load_cell(ROOT / "experiments" / "cus_26mpa.cell.toml").beam.axis_offset.value
    first, *_, last = seen
    assert first["axis_off_middle_columns"] * PIXEL_UM == pytest.approx(offset_um, abs=1.0)  # a third of a pixel
    assert abs(last["axis_off_middle_columns"]) < 1
    assert last["sample_x_mm"] == pytest.approx(-offset_um / 1e3, abs=1e-3)
    assert f'sample_in = "{last["sample_x_mm"]:.4f} mm"' in " ".join(answer.stdout.split())

    with Image.open(folder / "report" / "alignment.png") as picture:
        picture.verify()
    assert not list((folder / "processes").glob("*.pid"))
