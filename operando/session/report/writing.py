"""Writes the report of a run: its page and its tables, into the run's own folder for reports."""

import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from operando.model.experiment import Experiment
from operando.model.experiment_file import load_experiment
from operando.model.number_text import number_text
from operando.model.run_directory import RunDirectory
from operando.model.toml_file import FileFormatError
from operando.session.comparison import ComparedRun, comparison
from operando.session.report.battery_data_format import SIGN, write_battery_data
from operando.session.report.cell_traces import read_traces
from operando.session.report.csv_tables import measurements_csv, steps_csv, tomograms_csv
from operando.session.report.measured_table import measured_rows
from operando.session.report.page_content import Sources, page_content
from operando.session.report.run_story import RunStory
from operando.session.report.story_reading import read_story
from operando.session.report.time_plot import moment
from operando.session.report.what_is_missing import missing_sentences
from operando.session.report.words import printed

HERE = Path(__file__).parent


def write_report(run: RunDirectory, *, written_s: float, output: Path | None = None, with_truth: bool = False) -> Path:
    """Write page and tables; return the page.

    The run may be going on, damaged or cut off: the page says what is missing. Nothing else of the run is touched.

    Parameters
    ----------
    written_s
        When, s since the Unix epoch; the page tells it.
    output
        Folder; ``report`` in the run directory if not given.
    with_truth
        Whether a rehearsal's numbers stand beside what was really there.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    folder = run.report if output is None else output
    folder.mkdir(parents=True, exist_ok=True)
    experiment, problem = _experiment(run)
    story, traces = read_story(run), read_traces(run)
    missing = missing_sentences(run, story, traces, experiment, problem)
    truth = _truth(run, experiment, story) if with_truth else {}
    if with_truth and not truth:
        missing.append("The truth was asked for, and this run holds none: only rehearsals do.")
    rows = measured_rows(story, experiment, truth)
    sources = Sources(run, story, traces, experiment, rows, missing, with_truth, moment(written_s))
    _replace(folder / "measurements.csv", lambda path: _write(path, measurements_csv(rows)))
    _replace(folder / "steps.csv", lambda path: _write(path, steps_csv(story, experiment)))
    _replace(folder / "tomograms.csv", lambda path: _write(path, tomograms_csv(story)))
    _replace(folder / "electrochemistry.bdf.csv", lambda path: write_battery_data(path, traces, story))
    page = _page(page_content(sources))
    written = folder / run.report_page.name
    _replace(written, lambda path: _write(path, page))
    return written


def _page(content: dict[str, Any]) -> str:
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True)
    environment.filters["moment"] = moment
    environment.filters["number"] = lambda value, uncertainty: printed(number_text(value, uncertainty))
    style = Markup((HERE / "page.css").read_text(encoding="utf-8"))
    return environment.get_template("page.html.j2").render(content, style=style, sign=SIGN)


def _experiment(run: RunDirectory) -> tuple[Experiment | None, str]:
    try:
        return load_experiment(run.experiment), ""
    except (FileFormatError, tomllib.TOMLDecodeError, ValueError, OSError) as error:
        return None, f"The experiment file cannot be understood, so nothing of it is used. {error}"


def _truth(run: RunDirectory, experiment: Experiment | None, story: RunStory) -> dict[tuple[str, str], Any]:
    if experiment is None or not run.truth.is_file():
        return {}
    rows = comparison([ComparedRun(run, experiment, story.measurements)])
    return {(row["tomogram"], row["name"]): row["true"] for row in rows if row["true"] is not None}


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Put a whole file in place of the one before: who reads it meanwhile has the old one or the new one."""
    unfinished = path.with_name(path.name + ".unfinished")
    write(unfinished)
    os.replace(unfinished, path)
