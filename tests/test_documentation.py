"""What the README and the pages say must be so: links, pictures, commands, listings."""

import re
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest
from PIL import Image
from pydantic import BaseModel
from typer.testing import CliRunner

from live_analysis.analyse import analyse
from operando.cli import application
from operando.model.beamline import Beamline, load_beamline
from tests.support.phantom_run import PhantomRun

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LARGEST_PICTURE_BYTES = 300_000  # pages are read over beamline networks
RUN_PAGE, BEAMLINE_PAGE = ROOT / "docs" / "run-directory.md", ROOT / "docs" / "at-the-beamline.md"


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def console_lines() -> list[str]:
    return [line for page in PAGES for block in blocks(page, "console") for line in block.splitlines()]


def command_names() -> set[str]:
    return {
        command.name or command.callback.__name__ for command in application.registered_commands if command.callback
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_picture_leads_to_a_file(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            path, _, heading = target.partition("#")
            linked = page.parent / path if path else page
            assert linked.exists(), f"{page.name} links to {target}, which is not there"
            if heading:
                titles = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
                assert heading in [re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles]


def test_pictures_can_be_opened_and_are_small() -> None:
    pictures = list((ROOT / "docs" / "pictures").glob("*.png"))
    assert pictures
    for path in pictures:
        assert path.stat().st_size < LARGEST_PICTURE_BYTES
        with Image.open(path) as picture:
            picture.verify()


@pytest.mark.parametrize("line", console_lines())
def test_every_command_in_the_pages_exists_with_its_options(line: str) -> None:
    words = line.split()
    if words[0] == "bash":
        assert (ROOT / words[1]).is_file()
        subprocess.run(["bash", "-n", words[1]], cwd=ROOT, check=True)
        return
    if Path(words[0]).name != "operando":
        assert words[0] in ("sqlite3", "source")
        return
    assert words[1] in command_names()
    shown = CliRunner().invoke(application, [words[1], "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert all(word in shown.output for word in words[2:] if word.startswith("--"))
    assert all((ROOT / word).is_file() for word in words[2:] if word.startswith("experiments/"))


def test_the_readme_names_every_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [name for name in command_names() if f"`operando {name}" not in text]
    assert not missing


@pytest.fixture(scope="module")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One tomogram of a small object, taken, logged and analysed."""
    run = PhantomRun(tmp_path_factory.mktemp("run") / "phantom")
    run.complete("OCV", 1)
    run.end()
    analyse(run.run.path, follow=False, again=False, stop=threading.Event(), report=lambda _: None)
    return run.run.path


@pytest.mark.parametrize("listing", blocks(RUN_PAGE, "python"), ids=range(len(blocks(RUN_PAGE, "python"))))
def test_every_listing_that_reads_a_run_works_without_this_software(small_run: Path, listing: str) -> None:
    assert "operando" not in listing
    printed = subprocess.run(
        [sys.executable, "-c", listing], cwd=small_run, capture_output=True, text=True, check=False, timeout=60
    )
    assert printed.returncode == 0, printed.stderr
    assert printed.stdout.strip() or "events" in listing  # this small run's guard did nothing worth a line


def test_the_page_about_a_run_names_everything_that_lies_in_one(small_run: Path) -> None:
    text = RUN_PAGE.read_text(encoding="utf-8")
    unnamed = [path.name for path in small_run.iterdir() if f"`{path.name}" not in text]
    assert not unnamed


def test_the_beamline_file_of_the_page_is_valid_and_every_key_is_explained(tmp_path: Path) -> None:
    (text,) = blocks(BEAMLINE_PAGE, "toml")
    (tmp_path / "bamline.toml").write_text(text, encoding="utf-8")
    assert not load_beamline(tmp_path / "bamline.toml").rehearsal
    table = BEAMLINE_PAGE.read_text(encoding="utf-8")
    unexplained = [key for key in dotted_keys(Beamline) if f"`{key}`" not in table]
    assert not unexplained


def test_the_example_beamline_file_gives_every_key_that_has_no_default(tmp_path: Path) -> None:
    (text,) = blocks(BEAMLINE_PAGE, "toml")
    assert set(tomllib.loads(text)) >= {name for name, field in Beamline.model_fields.items() if field.is_required()}


@pytest.mark.parametrize("listing", blocks(BEAMLINE_PAGE, "python"))
def test_listings_for_the_beamline_can_be_compiled(listing: str) -> None:
    compile(listing, "listing", "exec")


def dotted_keys(table: type[BaseModel]) -> list[str]:
    """Return the keys as the page writes them; the calibration has a section of its own."""
    keys = []
    for name, field in table.model_fields.items():
        inner = [part for part in (field.annotation, *getattr(field.annotation, "__args__", ())) if is_table(part)]
        if inner and name != "calibration":
            keys += [f"{name}.{key}" for key in dotted_keys(inner[0])]
        else:
            keys.append(name)
    return keys


def is_table(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
