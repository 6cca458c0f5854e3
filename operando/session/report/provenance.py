"""Where everything comes from: what was asked, who answered, which versions, which files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operando.model.run_directory import RunDirectory
from operando.session.report.run_story import RunStory
from operando.session.report.time_plot import moment
from operando.session.report.words import size_text

LONGEST_TEXT = 200_000  # characters of a file that are shown


@dataclass(frozen=True)
class Provenance:
    """Settings as pairs, texts of files, raw files with their sizes."""

    settings: tuple[tuple[str, str], ...]
    experiment_text: str
    beamline_text: str
    files: tuple[tuple[str, str], ...]
    total_size: str


def provenance(run: RunDirectory, story: RunStory) -> Provenance:
    """Collect what a reader needs to repeat or to doubt the run."""
    settings: list[tuple[str, str]] = [("run directory", run.path.name)]
    for number, start in enumerate(story.outer_starts, start=1):
        mark = f" {number}" if len(story.outer_starts) > 1 else ""
        settings.append((f"uid of the run{mark}", str(start.get("uid", "unknown"))))
        settings.append((f"began, computer's clock{mark}", moment(_number(start.get("time")))))
        if "continues" in start:
            settings.append((f"goes on with{mark}", str(start["continues"])))
        if "geometry" in start:
            settings.append((f"geometry{mark}", str(start["geometry"])))
        versions = start.get("versions")
        if isinstance(versions, dict):
            settings.append((f"versions{mark}", ", ".join(f"{name} {text}" for name, text in versions.items())))
    if story.outer_stop is not None:
        words = " ".join(str(story.outer_stop.get(key) or "") for key in ("exit_status", "reason")).strip()
        settings.append(("ended", f"{moment(_number(story.outer_stop.get('time')))}: {words}"))
    sizes = _sizes(run)
    return Provenance(
        tuple(settings),
        _text(run.experiment),
        _text(run.beamline),
        tuple((name, size_text(size)) for name, size in sizes),
        size_text(sum(size for _, size in sizes)),
    )


def _sizes(run: RunDirectory) -> list[tuple[str, int]]:
    files = [run.experiment, run.beamline, run.schedule, run.documents, run.results, run.cell_log]
    for folder in (run.frames, run.tomograms):
        files += sorted(folder.glob("*")) if folder.is_dir() else []
    found = []
    for path in files:
        try:
            found.append((str(path.relative_to(run.path)), path.stat().st_size))
        except OSError:
            continue  # not written in this run, or just taken away
    return found


def _text(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError:
        return f"{path.name} is not in the run directory."
    return (
        text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + f"\n... {len(text) - LONGEST_TEXT} more characters"
    )


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
