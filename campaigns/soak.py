"""Rehearse for hours and see that no process grows: memory, descriptors, and what a sample costs.

One rehearsal of 'experiments/soak.toml', looked at every few seconds. What was seen stands in 'soak.jsonl' beside the
run; the exit code is 0 if nothing grew and the run was long enough.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from campaigns.command import ROOT, command
from campaigns.command_line import gone_through, parser_of
from campaigns.soak_samples import SoakSample, look_at
from campaigns.soak_verdict import Trend, trends
from operando.model.number_text import duration_text
from operando.model.run_directory import RunDirectory
from operando.session.errors import EXIT_COMPLETE, EXIT_FAILED

EXPERIMENT = ROOT / "experiments" / "soak.toml"
LOOK_S, TELL_S = 10.0, 300.0
LEAST_SAMPLES, LEAST_TOMOGRAMS, LEAST_S = 1_000_000, 100, 3600.0
LONGEST_ENDING_S = 120.0


def soak(folder: Path, experiment: Path, console: Console) -> tuple[list[SoakSample], int]:
    """Rehearse an experiment to its end; return what was seen on the way, and the rehearsal's exit code."""
    run = RunDirectory((folder / "run").resolve())
    folder.mkdir(parents=True, exist_ok=True)
    seen: list[SoakSample] = []
    begin_s = told_s = time.perf_counter()
    log = folder / "rehearsal.log"
    log.unlink(missing_ok=True)
    arguments = "run", str(experiment.resolve()), "--run-dir", str(run.path)
    with (
        (folder / "soak.jsonl").open("w", encoding="utf-8") as lines,
        command(log, *arguments, ending_s=LONGEST_ENDING_S) as process,
    ):
        while process.poll() is None:
            sample = look_at(run, time.perf_counter() - begin_s)
            seen.append(sample)
            lines.write(sample.as_line())
            lines.flush()
            if time.perf_counter() - told_s >= TELL_S:
                told_s = time.perf_counter()
                console.print(
                    f"{duration_text(sample.time_s)}: {sample.num_guard_samples} samples, "
                    f"{sample.num_tomograms} tomograms measured"
                )
            _wait(process)
    return seen, process.returncode


def _wait(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(LOOK_S)
    except subprocess.TimeoutExpired:
        return


def trend_table(found: Sequence[Trend]) -> Table:
    """Return first and last third beside each other."""
    table = Table(box=SIMPLE_HEAD, title="first and last third after warm-up", title_justify="left")
    for heading in ("process", "quantity"):
        table.add_column(heading)
    for heading in ("first", "last", "change"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for trend in found:
        change = f"{trend.last / trend.first - 1:+.1%}" if trend.first else "-"
        unit = "" if trend.unit == "1" else f", {trend.unit}"
        table.add_row(
            trend.role,
            trend.quantity + unit,
            f"{trend.first:.4g}",
            f"{trend.last:.4g}",
            change,
            "" if trend.holds else "GROWS",
        )
    return table


def main() -> int:
    """Soak and print what came out; return the exit code: 0 if nothing grew and the run was long enough."""
    parser = parser_of("campaigns.soak", __doc__)
    parser.add_argument("--directory", type=Path, default=Path("runs/soak"), help="an empty folder for the run")
    parser.add_argument("--experiment", type=Path, default=EXPERIMENT, help="what is rehearsed (experiments/soak.toml)")
    arguments = parser.parse_args()
    if (arguments.directory / "run").exists():
        parser.error(f"--directory {arguments.directory}: holds a run already; name another folder")
    return gone_through(
        lambda console: _soaked(arguments.directory, arguments.experiment, console),
        stopped="The cell of the rehearsal is at open circuit.",
        width=100,
    )


def _soaked(folder: Path, experiment: Path, console: Console) -> int:
    seen, code = soak(folder, experiment, console)
    if not seen:
        console.print(f"The rehearsal ended at once with exit code {code}; {folder / 'rehearsal.log'} says why.")
        return EXIT_FAILED
    found, last = trends(seen), seen[-1]
    console.print(trend_table(found))
    long_enough = (
        last.num_guard_samples >= LEAST_SAMPLES and last.num_tomograms >= LEAST_TOMOGRAMS and last.time_s >= LEAST_S
    )
    holds = code == EXIT_COMPLETE and long_enough and all(trend.holds for trend in found)
    console.print(
        f"{duration_text(last.time_s)}, {last.num_guard_samples} samples, {last.num_tomograms} tomograms, "
        f"exit code {code}; asked for are {LEAST_SAMPLES} samples, {LEAST_TOMOGRAMS} tomograms and "
        f"{duration_text(LEAST_S)}: {'met' if holds else 'NOT MET'}."
    )
    return EXIT_COMPLETE if holds else EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
