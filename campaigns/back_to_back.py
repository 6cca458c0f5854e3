"""How many seconds software costs in tomograms that follow one another in real time, as at a beamline.

The simulated instruments are served without their clock, so that seconds last a second; four tomograms are asked for
while the first is taken. Told are the seconds in which no instrument moved, exposed or wrote: within each tomogram, and
from its end to the beginning of the next.
"""

import contextlib
import math
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from campaigns.command import command
from campaigns.command_line import gone_through, parser_of
from campaigns.fault_run import processes_of
from operando.model.document_lines import read_documents
from operando.model.json_lines import read_json_lines
from operando.model.run_directory import RunDirectory
from operando.session.errors import EXIT_COMPLETE, EXIT_FAILED

EXPERIMENT = Path(__file__).parents[1] / "experiments" / "campaign.toml"
NUM_ASKED = 4
LARGEST_S = 1.0  # of software in a tomogram and the pause before the next
REST = 'step = "rest"\nname = "rest"\nduration = "3 s"\ntomograms = [{ name = "OCV", at = "end" }]\n'
LONGEST_S = 300.0


class NotMeasuredError(RuntimeError):
    """A run that did not come so far."""


@dataclass(frozen=True)
class TomogramCost:
    """One tomogram: how long it took, software's share of that, and the pause since the one before, in s."""

    name: str
    took_s: float
    software_s: float
    before_s: float


def measured(folder: Path) -> list[TomogramCost]:
    """Take tomograms one after the other in real time and return what each cost; the first has no pause before it."""
    folder = folder.resolve()
    folder.mkdir(parents=True)
    experiment = _short_experiment(folder)
    run = RunDirectory(folder / "run")
    with contextlib.ExitStack() as ending:
        ending.callback(_end_all, folder)
        simulation = ["simulate", str(experiment), "--directory", str(folder / "simulation")]
        ending.enter_context(command(folder / "simulator.out", *simulation))
        served = folder / "simulation" / "beamline.toml"
        _until(lambda: "READY" in (folder / "simulator.out").read_text(), "the simulated beamline is not there")
        beamline = _called_real(served, folder / "beamline.toml")
        output = folder / "run.out"
        arguments = ["run", str(experiment), "--beamline", str(beamline), "--run-dir", str(run.path)]
        with command(output, *arguments) as acquisition:
            _until(lambda: _has_begun_a_tomogram(run) or acquisition.poll() is not None, "no tomogram has begun")
            for _ in range(NUM_ASKED):
                with command(output, "ask", str(run.path), "tomogram") as asking:
                    _until_ended(asking, "a tomogram was not asked for")
            _until_ended(acquisition, "the run has not ended")
    return list(_costs(run))


def _short_experiment(folder: Path) -> Path:
    text = EXPERIMENT.read_text(encoding="utf-8")
    head, *_ = text.split("[[schedule]]\n")
    cell = EXPERIMENT.parent / "cus_26mpa.cell.toml"
    head = head.replace('cell = "cus_26mpa.cell.toml"', f'cell = "{cell}"')
    path = folder / "back_to_back.toml"
    path.write_text(f"{head}[[schedule]]\n{REST}", encoding="utf-8")
    return path


def _called_real(simulated: Path, real: Path) -> Path:
    """Write the beamline file of instruments that nobody calls simulated: without their clock."""
    text = simulated.read_text(encoding="utf-8").replace("rehearsal = true", "rehearsal = false")
    real.write_text(re.sub(r"\[clock\].*?\n\n", "", text, flags=re.DOTALL), encoding="utf-8")
    return real


def _has_begun_a_tomogram(run: RunDirectory) -> bool:
    return run.schedule.is_file() and any(
        line.get("event") == "intent" and line.get("entry") == "tomogram" for line in read_json_lines(run.schedule)
    )


def _costs(run: RunDirectory) -> Iterator[TomogramCost]:
    starts: dict[str, dict[str, Any]] = {}
    outcomes: dict[str, dict[str, Any]] = {}
    run_of: dict[str, str] = {}
    before_s = None
    for name, document in read_documents(run.documents):
        if name == "start" and document["kind"] == "tomogram":
            starts[document["uid"]] = document
        elif name == "descriptor":
            run_of[document["uid"]] = document["run_start"]
        elif name == "event" and "dead_time_software_s" in document["data"]:
            outcomes[run_of[document["descriptor"]]] = document["data"]
        elif name == "stop" and document["run_start"] in starts:
            start, ledger = starts[document["run_start"]], outcomes.get(document["run_start"])
            if ledger is None:
                raise NotMeasuredError(f"{start['tomogram']} told no ledger of its time: {document.get('reason')}")
            yield TomogramCost(
                start["tomogram"],
                document["time"] - start["time"],
                sum(ledger["dead_time_software_s"]),
                float("nan") if before_s is None else start["time"] - before_s,
            )
            before_s = document["time"]


def _until_ended(process: "subprocess.Popen[bytes]", failure: str) -> None:
    _until(lambda: process.poll() is not None, failure)


def _until(holds: Callable[[], bool], failure: str) -> None:
    pause, deadline_s = threading.Event(), time.monotonic() + LONGEST_S
    while not holds():
        if time.monotonic() > deadline_s:
            raise NotMeasuredError(f"{failure} after {LONGEST_S:.0f} s")
        pause.wait(0.05)


def _end_all(folder: Path) -> None:
    for process in (*processes_of(folder / "run"), *processes_of(folder / "simulation")):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def main() -> int:
    """Measure and print; return the exit code: 0 if software costs a second at most."""
    parser = parser_of("campaigns.back_to_back", __doc__)
    parser.add_argument("--directory", type=Path, default=Path("runs/back_to_back"), help="a folder that is not there")
    arguments = parser.parse_args()
    if arguments.directory.exists():
        parser.error(f"--directory {arguments.directory}: is there already; name another folder")

    def go(console: Console) -> int:
        try:
            return _told(measured(arguments.directory), console)
        except NotMeasuredError as error:
            console.print(f"{error}; what it left stays in {arguments.directory}.", style="red")
            return EXIT_FAILED

    return gone_through(go, stopped="Nothing was measured.")


def _told(costs: list[TomogramCost], console: Console) -> int:
    table = Table(title="Tomograms back to back in real time, s", show_edge=False)
    table.add_column("tomogram")
    for column in ("took", "software in it", "pause before it", "software, together"):
        table.add_column(column, justify="right")
    for cost in costs:
        together_s = cost.software_s + cost.before_s
        table.add_row(
            cost.name,
            *(
                f"{each_s:.2f}" if math.isfinite(each_s) else "–"
                for each_s in (cost.took_s, cost.software_s, cost.before_s, together_s)
            ),
        )
    console.print(table)
    followed = costs[1:]
    holds = len(followed) == NUM_ASKED and all(cost.software_s + cost.before_s <= LARGEST_S for cost in followed)
    return EXIT_COMPLETE if holds else EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
