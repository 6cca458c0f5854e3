"""What a newcomer and a saboteur meet on the command line: sentences and exit codes, never a traceback."""

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from operando.cli import main
from operando.model.number_text import number_text
from operando.session.comparison import comparison_tables

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "experiments" / "cus_26mpa.toml"
COMMANDS = (
    "run", "resume", "check", "align", "simulate", "guard", "analyse", "reconstruct", "replay", "monitor", "watch",
    "results", "compare", "ask", "export", "status", "devices",
)  # fmt: skip


@pytest.fixture
def operando(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path):  # type: ignore[no-untyped-def]
    """Return a function that runs the command line in an empty folder and gives exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["operando", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as ending:
            code = int(ending.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def edited(folder: Path, old: str, new: str) -> Path:
    shutil.copy(SHIPPED.with_suffix(".cell.toml"), folder)
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    path = folder / "edited.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize("arguments", [(), ("--help",), *((command, "--help") for command in COMMANDS)])
@pytest.mark.parametrize("columns", ["80", "120"])
def test_help_fits_the_terminal(operando, monkeypatch, arguments, columns) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("COLUMNS", columns)
    _, out, err = operando(*arguments)
    assert "Usage: operando" in out + err
    assert all(len(line) <= int(columns) for line in (out + err).splitlines())
    assert "..." not in (out + err).replace("[ARGS]...", "").replace("[RUN]...", "")  # nothing is cut off


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('wall_material = "PEEK"', 'wall_material = "PEAK"', ["cell.wall_material", "'PEAK'", "PEEK"]),
        ('high_attenuation_material = "Cu"', 'high_attenuation_material = "Kr"', ["high_attenuation_material", "'Kr'"]),
        ('max_stack_pressure = "35 MPa"', 'max_stack_pressure = "20 MPa"', ["stack_pressure", "26 MPa", "5 to 20 MPa"]),
        ('bore_diameter = "6 mm"', 'bore_diameter = "20 mm"', ["wall_outer_diameter", "16 mm", "20 mm"]),
        ('sample_out = "12 mm"', 'sample_out = "2 mm"', ["sample_out", "2 mm", "9.13 mm"]),
        ('sample_out = "12 mm"', 'sample_out = "900 mm"', ["sample_out", "900 mm", "-50 to 50 mm"]),
        ('top = "270 um"', 'top = "500 um"', ["analysis.region", "500 um", "394 um"]),
        ('width_x = "400 um"', 'width_x = "2.25 mm"', ["analysis.region", "2285 um", "2253 um"]),
        ('top = "310 um"', 'top = "500 um"', ["analysis.crack_region", "500 um", "394 um"]),
        ('bottom = "10 um"', 'bottom = "-30 um"', ["analysis.displacement_region", "below the view"]),
        ('top = "260 um"', 'top = "320 um"', ["analysis.displacement_region", "10 to 320 um", "0 to 310 um"]),
        ('{ width_x = "1080 um"', '{ width_x = "6 mm"', ["analysis.crack_region", "6000 x 1080 um", "6000 um"]),
        ('top = "380 um"', 'top = "3.8 mm"', ["grey_reference", "3800 um", "394 um"]),
        ('radius = "800 um"', 'radius = "4 mm"', ["grey_reference.radius", "4000 um", "3000 um"]),
        ('max_hold = "1 h"', 'max_hold = "60 s"', ["schedule.discharge.max_hold", "60 s", "324 s"]),
        ('duration = "24 h"', 'duration = "1e9 year"', ["schedule.rest.duration", "a year"]),
        (
            'current = "-10 mA/g"',
            'current = "-10"',
            ["schedule.discharge.current", "'-10'", "not a number with a unit"],
        ),
        ('current = "-10 mA/g"', 'current = "10 mA/g"', ["schedule.discharge", "[1.7, 1.2, 0.7] V", "sign"]),
        ('voltage = "1.7 V"', 'every = "1 min"', ["D1.7V.every", "60 s", "324 s"]),
        ('at = "end"', 'voltage = "2 V"', ["schedule.rest.OCV.voltage", "constant_current"]),
        ("num_darks = 20", "num_darks = true", ["tomogram.num_darks", "True", "whole number"]),
        ("num_projections = 360", "num_projections = 36000000", ["GB", "are free"]),
        ('cell = "cus_26mpa.cell.toml"', 'cell = "nothing.toml"', ["rehearsal.cell", "'nothing.toml'"]),
        ('energy = "35 keV"', 'energy = "36 keV"', ["beam.energy", "36 keV", "35 keV"]),
        ('energy = "35 keV"', 'energy = "35 eV"', ["beam.energy", "35 eV"]),
        ('tomogram = "D1.7V"', 'tomogram = "D9V"', ["published.A-1.tomogram", "D9V", "D1.7V"]),
        ('title = "CuS', 'title = "\\u001b[31mCuS', ["experiment.title", "control characters"]),
        ("[geometry.full]", "[geometry.'../full']", ["geometry", "../full", "letters, digits"]),
    ],
)
def test_a_contradiction_is_refused_with_key_value_and_what_is_allowed(  # type: ignore[no-untyped-def]
    operando, tmp_path: Path, old: str, new: str, said: list[str]
) -> None:
    path = edited(tmp_path, old, new)
    for command in (("check",), ("run", "--run-dir", tmp_path / "run")):
        code, _, err = operando(command[0], path, *command[1:])
        assert code == 2
        for part in [str(path), *said]:
            assert part in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("content", [b"\xff\x00\xfe", b"[" * 5000, b"a = " + b"[" * 5000, b"#" * 2_000_000])
def test_a_file_that_is_no_experiment_is_refused(operando, tmp_path: Path, content: bytes) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "damaged.toml"
    path.write_bytes(content)
    code, _, err = operando("check", path)
    assert code == 2
    assert str(path) in err


@pytest.mark.parametrize("path", ["", "nothing.toml", "/dev/zero", "."])
def test_a_place_where_no_file_is_is_refused(operando, path: str) -> None:  # type: ignore[no-untyped-def]
    code, _, err = operando("check", path)
    assert code == 2
    assert "TOML file" in err or "no such file" in err


def test_markup_in_a_title_is_only_text(operando, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = operando("check", edited(tmp_path, 'title = "CuS', 'title = ":camera: [/bold] CuS'))
    assert code == 0
    assert ":camera: [/bold] CuS" in out


@pytest.mark.parametrize("geometry", ["--quick", "--full", "--full-frame"])
def test_check_shows_what_the_experiment_needs(operando, geometry: str) -> None:  # type: ignore[no-untyped-def]
    code, out, err = operando("check", SHIPPED, geometry)
    if geometry == "--full-frame" and code == 2:
        assert "93.6 GB" in err  # of a disk that has less
        return
    assert code == 0
    for part in (
        "discharge",
        "begins after",
        "tomograms take",
        "GB",
        "photons per pixel",
        "of the capacity",
        "takes about",
    ):
        assert part in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", SHIPPED, "--quick", "--full"), "choose one"),
        (("run", ROOT / "tests/system/short.toml", "--full"), "Allowed here: quick"),
        (("run", SHIPPED, "--run-dir", "/dev/null"), "is a file"),
        (("run", SHIPPED, "--run-dir", "/dev/null/run"), "GB|cannot be written|Not a directory"),
        (("run", SHIPPED, "--run-dir", "x" * 300), "too long"),
        (("run", SHIPPED, "--beamline", "nothing.toml"), "no such file"),
        (("run", SHIPPED, "--beamline", SHIPPED), "unknown key"),
        (("simulate", SHIPPED, "--geometry", "tiny"), "there are quick"),
        (("simulate", SHIPPED, "--epoch", "nan"), "--epoch"),
        (("simulate", SHIPPED, "--directory", "/dev/null"), "is a file"),
        (("replay", "nothing"), "no such file or folder"),
        (("replay", "."), "no projections"),
        (("replay", ROOT, "--pixel-size", "3"), "not a number with a unit"),
        (("replay", ROOT, "--angle-unit", "grad"), "deg and rad"),
        (("guard", "."), "not a run directory"),
        (("analyse", "."), "not a run directory"),
        (("results", "nothing"), "not a run directory"),
        (("compare",), "holds no run yet"),
        (("watch", "--once"), "holds no run yet"),
        (("status", "nothing"), "no such folder"),
        (("devices", "nothing"), "no such file"),
        (("ask", ".", "note", "x"), "not a run directory"),
    ],
)
def test_a_request_that_cannot_be_done_is_refused(operando, arguments, said: str) -> None:  # type: ignore[no-untyped-def]
    code, out, err = operando(*arguments)
    assert code == 2
    assert any(part in err for part in said.split("|"))
    assert "Traceback" not in out + err


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "a_run"
    folder.mkdir()
    shutil.copy(SHIPPED, folder / "experiment.toml")
    return folder


@pytest.mark.parametrize(
    "lines", ["", "3\n[1, 2]\n{}\n", '["start", {}]\n["event", {}]\n["stop", 4]\n', "\x00\x00", '["start", {"uid"']
)
def test_damaged_journals_are_read_as_far_as_they_go(operando, run: Path, lines: str) -> None:  # type: ignore[no-untyped-def]
    for name in ("documents.jsonl", "results.jsonl", "schedule.jsonl"):
        (run / name).write_text(lines, encoding="utf-8")
    for command in (("results",), ("compare",), ("results", "--json"), ("compare", "--json")):
        code, out, _ = operando(command[0], run, *command[1:])
        assert code == 0
        if "--json" in command:
            assert [row for row in json.loads(out) if command[0] == "results" or row["measured"] is not None] == []
    assert operando("status", run)[0] == 0


def test_a_run_without_a_journal_can_be_watched(run: Path) -> None:
    command = [sys.executable, "-m", "operando.cli", "watch", str(run), "--once"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert shown.returncode == 0
    assert "no tomogram yet" in shown.stdout


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (("dance",), "'dance'"),
        (("note",), "the text of the note"),
        (("note", "x" * 301), "at most 300 characters"),
        (("note", "a\nb"), "one line of printable"),
        (("tomogram", "OCV_cycle2"), "that name already"),
        (("stop-after", "lunch"), "rest, discharge, charge"),
        (("tomogram", "../evil"), "is no name"),
        (("tomogram", "OCV"), "that name already"),
        (("note", "[/x] hello"), "no acquisition of this run is alive"),
    ],
)
def test_nonsense_is_not_asked(operando, run: Path, request_: tuple[str, ...], said: str) -> None:  # type: ignore[no-untyped-def]
    code, _, err = operando("ask", run, *request_)
    assert code == 2
    assert said in err
    assert not (run / "schedule.jsonl").exists()


def test_results_are_json_also_where_a_value_is_not_finite(operando, run: Path) -> None:  # type: ignore[no-untyped-def]
    data = {
        "tomogram": "OCV", "name": "voltage", "value": float("nan"), "unit": "V", "uncertainty": float("inf"),
        "run_uid": "r", "time": 1.0, "num_frames": 1, "flags": [], "replaces": None, "details": {"x": float("nan")},
    }  # fmt: skip
    documents = [
        ["start", {"uid": "s", "kind": "analysis", "raw_run": "r", "tomogram": "OCV", "attempt": 1}],
        ["descriptor", {"uid": "d", "run_start": "s", "name": "measurements"}],
        ["event", {"uid": "e", "descriptor": "d", "data": data}],
        ["stop", {"run_start": "s", "exit_status": "success"}],
    ]
    (run / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in documents))
    _, out, _ = operando("results", run, "--json")

    def refuse(token: str) -> None:
        raise AssertionError(f"{token} is no JSON")

    (found,) = json.loads(out, parse_constant=refuse)
    assert {"tomogram", "name", "value", "unit", "uncertainty", "run_uid", "time"} <= found.keys()
    assert found["value"] is None


@pytest.mark.parametrize("columns", [80, 120])
def test_a_comparison_keeps_every_number_whole(columns: int) -> None:
    names = (("voltage", "V", -2.30775), ("stack_pressure", "MPa", 21.987), ("high_attenuation_volume", "um3", 3.761e5))
    rows = [
        {
            "experiment": "cus_26mpa", "run": "run", "tomogram": "D0.7V", "name": name, "unit": unit,
            "published": value, "published_id": "A-16", "relation": "at most", "elsewhere": None, "repeated": False,
            "true": value, "measured": value, "uncertainty": abs(value) / 2000,
            "flags": ["near_resolution", "axis_uncertain"],
        }
        for name, unit, value in names
    ]  # fmt: skip
    console = Console(file=io.StringIO(), width=columns)
    console.print(*comparison_tables(rows))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "…" not in shown
    for _, _, value in names:
        assert number_text(value, abs(value) / 2000) in shown
