import csv
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

from live_analysis.displacement.collector_rise import VIEW_NOT_CHECKED, VIEW_SHIFTED
from live_analysis.displacement.displacement_quantities import CRACKS_CROSS, UNDERSAMPLED_TEXTURE
from live_analysis.results import ResultsWriter, TomogramResults
from live_analysis.states.expected_volumes import BEYOND_THEORY, WITHOUT_CRACKS
from operando.cli import application
from operando.model.clock import SystemClock
from operando.model.measurement import Measurement
from operando.model.run_directory import RunDirectory
from operando.session.report.battery_data_format import COLUMNS
from operando.session.report.words import flag_explained
from operando.session.report.writing import write_report
from tests.support.run_directories import FakedRun, finished_run

EXPERIMENT = Path(__file__).parents[4] / "experiments" / "cus_26mpa.toml"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
ELSEWHERE = """
[[published]]
id = "A-14"
tomogram = "discharge"
name = "pressure_change_stage2"
value = 0.3
unit = "MPa"
relation = "at least"
elsewhere = "cus_rig"
"""
WRITTEN_S = 1_700_400_000.0  # 2023-11-19 13:20:00 UTC


class Page(HTMLParser):
    """What a browser would find: elements with their attributes, and the text between them."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def run_with_everything(path: Path, *, rehearsal: bool = True) -> RunDirectory:
    run = finished_run(path, num_samples=300).run
    run.experiment.write_text(EXPERIMENT.read_text().replace("CuS cathode in", HOSTILE) + ELSEWHERE)
    if not rehearsal:
        run.documents.write_text(run.documents.read_text().replace('"rehearsal": true', '"rehearsal": false'))
    for attempt in (1, 4):
        run.volume(attempt).mkdir()
        with h5py.File(run.volume(attempt) / "slices.h5", "w") as file:
            for name, shape in {"xy": (40, 40), "xz": (12, 40), "yz": (12, 40)}.items():
                file[name] = np.linspace(0, 60, shape[0] * shape[1], dtype=np.float32).reshape(shape)
                file[name].attrs.update({"units": "1/cm", "voxel_size_um": 10.0})
            file.attrs.update({"flags": "", "run_uid": f"tomogram {attempt}"})
        with h5py.File(run.volume(attempt) / "masks.h5", "w") as file:
            for name, shape in {"xy": (40, 40), "xz": (12, 40), "yz": (12, 40)}.items():
                file[name] = np.eye(*shape, dtype=np.uint8)
            file.attrs["run_uid"] = f"tomogram {attempt}"
    with h5py.File(run.volume(4) / "displacement.h5", "w") as file:
        file["node_um"] = [[-25.0, 0.0, 45.0], [25.0, 0.0, 45.0], [-25.0, 0.0, 245.0], [25.0, 0.0, 245.0]]
        file["displacement_um"] = [[0.0, 0.0, 0.4], [0.0, 0.0, 0.6], [0.0, 0.0, 7.2], [9.0, 9.0, 9.0]]
        file["uncertainty_um"] = np.full((4, 3), 0.3)
        file["valid"] = [True, True, True, False]
        file.attrs["reference"] = "OCV"
    return run


def whole_page(run: RunDirectory) -> Page:
    return Page(write_report(run, written_s=WRITTEN_S))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return whole_page(run_with_everything(tmp_path_factory.mktemp("runs") / "faked"))


def test_a_page_opens_without_anything_beside_it(page: Page) -> None:
    used = [value for _, attributes in page.elements for key, value in attributes.items() if key in ("src", "href")]
    assert used
    assert all(value is not None and value.startswith(("data:", "#")) for value in used)
    assert not {"script", "iframe", "object", "embed", "link"} & {tag for tag, _ in page.elements}


def test_links_lead_to_sections_and_every_picture_is_told_in_words(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {str(link["href"])[1:] for link in page.all("a")} <= set(ids)
    assert all(image.get("alt") for image in page.all("img"))
    assert all(plot.get("aria-label") for plot in page.all("svg"))
    assert len(page.all("img")) == 2 * 3 * 2  # states, planes, slice and mask


def test_what_people_write_is_text_never_markup(page: Page) -> None:
    assert page.text.count(HOSTILE) >= 2  # title and experiment file
    assert not any("onerror" in attributes for _, attributes in page.elements)


def test_numbers_stand_beside_the_published_ones_with_uncertainty_and_unit(page: Page) -> None:
    assert re.search(r"\(3\.660 ± 0\.040\) × 10⁵\s*µm³\s*3\.7 × 10⁵\s*A-1\s*0\.989", page.text)
    assert re.search(r"crack volume\s*not measured\s*µm³\s*9\.7 × 10⁶\s*A-4", page.text)
    assert re.search(r"pressure change stage2\s*measured by cus_rig\s*MPa\s*≥ 0\.3\s*A-14", page.text)


def test_displacement_is_the_mean_of_the_valid_cuboids_of_a_layer(page: Page) -> None:
    assert "0.50 ± 0.21" in page.text  # mean of 0.4 and 0.6; 0.3 / sqrt(2)
    assert "7.20 ± 0.30" in page.text
    assert "1 of 2" in page.text


def test_what_went_wrong_is_told_first(page: Page) -> None:
    assert "Tomogram D1.7V, attempt 2: fail. 3 of 360 lost" in page.text
    assert "Asked for and never begun: tomogram C3.0V, D0.7V_cycle50, C3.0V_cycle50." in page.text
    assert "limit: The temperature is 45.3 degC, above max_temperature 45 degC." in page.text


def test_only_a_rehearsal_is_called_one(page: Page, tmp_path: Path) -> None:
    real = whole_page(run_with_everything(tmp_path / "real", rehearsal=False))
    assert "REHEARSAL: cell and beam were simulated" in page.text
    assert "REHEARSAL" not in real.text


def test_truth_is_printed_only_if_asked_for(tmp_path: Path) -> None:
    run = run_with_everything(tmp_path / "faked")
    run.simulation.mkdir()
    run.truth.write_text('{"attempt": 4, "high_attenuation_volume": 373900.0}\n')
    assert "3.739 × 10⁵" not in whole_page(run).text
    assert "3.739 × 10⁵" in Page(write_report(run, written_s=WRITTEN_S, with_truth=True)).text


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def scribble(path: Path) -> None:
    path.write_bytes(b"\x00\xff{[<" * 500)


def test_a_field_of_another_tomogram_is_not_shown_as_that_of_this_one(tmp_path: Path) -> None:
    run = run_with_everything(tmp_path / "faked")
    with h5py.File(run.volume(4) / "displacement.h5", "a") as file:
        file.attrs["run_uid"] = "of an earlier session"
    assert "displacement.h5 is that of another tomogram" in whole_page(run).text


@pytest.mark.parametrize("damage", [cut, scribble, Path.unlink], ids=["cut", "scribbled", "gone"])
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("documents.jsonl", "start document|stop document|damaged lines"),
        ("schedule.jsonl", "No step of the schedule has begun|damaged lines|did not end"),
        ("results.jsonl", "results.jsonl|not measured"),
        ("cell.sqlite", "cell.sqlite"),
        ("experiment.toml", "experiment file cannot be understood"),
        ("volumes/0004/slices.h5", "slices.h5 (was not written|cannot be read)"),
        ("volumes/0004/masks.h5", "masks.h5 cannot be read|attempt 4"),
        ("volumes/0004/displacement.h5", "displacement.h5 cannot be read|No displacement was measured"),
    ],
)
def test_a_damaged_run_gives_a_page_that_says_so(
    tmp_path: Path, name: str, told: str, damage: Callable[[Path], None]
) -> None:
    run = run_with_everything(tmp_path / "faked")
    damage(run.path / name)
    page = whole_page(run)
    assert re.search(told, page.text)
    assert "could not be made" not in page.text


def test_the_page_tells_what_results_tell_of_analyses_that_failed_or_were_cut_off(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "run", num_samples=300).run
    shift = Measurement("OCV", "interface_shift", 34.25, "um", 0.125, "raw", WRITTEN_S, 360)
    writer = ResultsWriter(run.results, SystemClock())
    writer.write(TomogramResults("OCV", 1, "raw", (shift,), failure="The disk was full."))
    writer.write(TomogramResults("OCV", 1, "raw", (replace(shift, value=14.25),)))
    writer.write(TomogramResults("OCV", 1, "raw", (replace(shift, value=99.25),)))
    writer.close()
    whole = run.results.read_text().splitlines(keepends=True)
    run.results.write_text("".join(whole[:-1]))  # killed before the last stop document
    text = Page(write_report(run, written_s=WRITTEN_S)).text
    assert "14.25" in text
    for untold in ("34.25", "99.25", "The disk was full"):
        assert untold not in text


def test_what_is_not_there_is_not_called_done(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "run", num_samples=300).run
    run.schedule.unlink()
    text = Page(write_report(run, written_s=WRITTEN_S)).text
    for sentence in ("no schedule.jsonl", "The slices of OCV"):
        assert sentence in text
    run.results.unlink()
    text = Page(write_report(run, written_s=WRITTEN_S)).text
    assert "What was measured is under" not in text
    assert "Nothing has been measured" in text


def test_every_flag_of_the_comparison_of_states_is_explained() -> None:
    for flag in (CRACKS_CROSS, UNDERSAMPLED_TEXTURE, VIEW_SHIFTED, VIEW_NOT_CHECKED, BEYOND_THEORY, WITHOUT_CRACKS):
        assert flag_explained(flag)


def test_a_run_is_only_read(tmp_path: Path) -> None:
    run = run_with_everything(tmp_path / "faked")

    def content() -> dict[str, str]:
        files = (path for path in run.path.rglob("*") if path.is_file() and run.report not in path.parents)
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    before = content()
    write_report(run, written_s=WRITTEN_S)
    assert content() == before
    assert not list(run.report.glob("*.unfinished"))


def test_a_run_that_goes_on_is_told_as_far_as_it_came(tmp_path: Path) -> None:
    faked = FakedRun(tmp_path / "faked")
    faked.step("rest", "RUNNING")
    faked.sample(20)
    page = whole_page(faked.run)
    faked.close()
    assert "The run has no stop document: it goes on, or what ran it has died." in page.text
    assert "Step rest began and did not end." in page.text


def test_the_record_of_the_cell_has_the_columns_and_units_of_the_battery_data_format(tmp_path: Path) -> None:
    faked = FakedRun(tmp_path / "faked")
    faked.step("rest", "RUNNING")
    faked.sample(3)
    faked.sample(2, quality="STALE")
    faked.sample(2880)  # into the discharge, which begins after 24 h
    faked.close()
    write_report(faked.run, written_s=WRITTEN_S)
    with (faked.run.report / "electrochemistry.bdf.csv").open(newline="") as file:
        header, *rows = list(csv.reader(file))
    assert tuple(header) == COLUMNS
    assert len(rows) == 2883  # those of a stale instrument are not there
    assert [float(row[0]) for row in rows[:4]] == [0.0, 30.0, 60.0, 150.0]  # s
    assert float(rows[-1][2]) == -11.52e-6  # A, discharging
    assert float(rows[0][8]) == pytest.approx(26e6, rel=1e-3)  # Pa
    assert rows[0][4:6] == ["1", "1"]


def test_a_hundred_steps_are_told_without_a_hundred_plots(tmp_path: Path) -> None:
    faked = FakedRun(tmp_path / "faked")
    for cycle in range(1, 51):
        for step in ("discharge", "charge"):
            name = step if cycle == 1 else f"{step}/{cycle}"
            faked.step(name, "RUNNING")
            faked.sample(4)
            ended = {"time": faked.time_s, "event": "outcome", "entry": "step", "name": name, "outcome": "complete"}
            faked.schedule.append(ended, durable=False)
            faked.measure(name.replace("/", "_cycle"), "capacity", 500.0 - cycle, "mAh/g", 0.1)
    faked.close()
    page = whole_page(faked.run)
    plots = [str(plot["aria-label"]) for plot in page.all("svg")]
    assert sum("for step" in plot for plot in plots) == 2 * 2  # the first cycle, on a screen and on a phone
    assert "98 further steps are not drawn" in page.text
    assert "Capacity against cycle: discharge, charge" in plots
    assert "450.00 ± 0.10" in page.text


def test_tables_for_programs_hold_the_numbers_in_full(tmp_path: Path) -> None:
    run = run_with_everything(tmp_path / "faked")
    write_report(run, written_s=WRITTEN_S, output=tmp_path / "elsewhere")
    with (tmp_path / "elsewhere" / "measurements.csv").open(newline="") as file:
        rows = {(row["owner"], row["quantity"]): row for row in csv.DictReader(file)}
    found = rows["D0.7V", "high_attenuation_volume"]
    assert (found["value"], found["unit"], found["published"]) == ("366000.0", "um3", "370000.0")
    with (tmp_path / "elsewhere" / "tomograms.csv").open(newline="") as file:
        assert [row["tomogram"] for row in csv.DictReader(file)] == ["OCV", "D1.7V", "D1.2V", "D0.7V", "C2.5V"]


def test_the_command_says_where_the_page_is_and_what_is_no_run(tmp_path: Path) -> None:
    run = run_with_everything(tmp_path / "faked")
    done = CliRunner().invoke(application, ["report", str(run.path), "--output", str(tmp_path / "out")])
    assert done.exit_code == 0
    assert str(tmp_path / "out" / "index.html") in done.output.replace("\n", "")
    assert CliRunner().invoke(application, ["report", str(tmp_path)]).exit_code != 0
