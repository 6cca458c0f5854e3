"""Campaign of kills: ``kill -9`` at random moments, then ``operando resume``; every schedule ends with its tomograms.

Whoever interrupts it gives the same command again: it goes on with the kills that are missing. Runs of which something
did not hold stay in the campaign's folder.
"""

import dataclasses
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from campaigns.command_line import add_sampling, gone_through, parser_of
from campaigns.fault_invariants import Evidence, broken_invariants
from campaigns.kill_run import SHARES, planned_kill, role_that_lags, run_killed
from operando.model.document_lines import read_documents
from operando.model.json_lines import JsonLinesWriter, read_json_lines
from operando.model.outcome import Outcome
from operando.session.errors import EXIT_COMPLETE, EXIT_FAILED
from operando.session.runs_so_far import runs_so_far

TABLE_FILE = "kills.jsonl"
EXPERIMENT = Path(__file__).parents[1] / "experiments" / "campaign.toml"
UNDISTURBED_S = 20.0  # of wall time, from the first pid file to the last measurement


@dataclass(frozen=True)
class TriedKill:
    """One run that was killed, and what did not hold; ``missed`` are the tomograms that it says it missed."""

    seed: int
    run: int
    role: str
    after_s: float
    phase: str
    exit_codes: list[int | None]
    missed: list[str]
    took_s: float
    broken: list[str]


def try_kill(folder: Path, seed: int, number: int, role: str, longest_s: float) -> TriedKill:
    """Kill a process of one run, resume it and judge it; its directory is left only if something did not hold."""
    directory = (folder / f"seed_{seed}_kill_{number:04d}").resolve()
    _remove(directory)
    kill = planned_kill(seed, number, role, longest_s=longest_s)
    run = run_killed(EXPERIMENT, directory, kill)
    broken = [f"still running: {command}" for command in run.left]
    evidence = Evidence(directory, run.exit_codes[-1], run.output)
    broken += broken_invariants(evidence)
    names = [tomogram.name for _, step in evidence.experiment.steps for tomogram in step.tomograms]
    complete = Counter(attempt.start["tomogram"] for attempt in evidence.attempts.values() if attempt.complete)
    ends = {
        str(line["name"]): str(line["outcome"])
        for line in evidence.schedule
        if line.get("event") == "outcome" and line.get("entry") == "tomogram"
    }
    missed = [name for name in names if ends.get(name) == Outcome.MISSED]
    broken += [f"{name} is neither complete nor missed" for name in names if name not in missed and not complete[name]]
    broken += [f"{name} is missed and complete" for name in missed if complete[name]]
    wanted = EXIT_FAILED if missed else EXIT_COMPLETE
    if run.exit_codes[-1] != wanted:
        broken.append(f"the exit codes are {run.exit_codes}, not {wanted} at last")
    broken += [
        f"the stop document of {so_far.uid} counts {so_far.stop.get('num_events')}, there are {dict(so_far.num_events)}"
        for so_far in runs_so_far(read_documents(evidence.run.documents)).values()
        if so_far.stop is not None and so_far.stop.get("num_events") != dict(so_far.num_events)
    ]
    if not broken:
        _remove(directory)
    return TriedKill(seed, number, kill.role, kill.after_s, run.phase, run.exit_codes, missed, run.took_s, broken)


def campaign(folder: Path, seeds: Sequence[int], count: int, console: Console, longest_s: float) -> list[TriedKill]:
    """Try ``count`` kills that came in time; return all that were tried with these seeds, in this call and before.

    What is missing is tried with the last of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / TABLE_FILE
    seed = seeds[-1]
    tried = [TriedKill(**line) for line in read_json_lines(table) if line["seed"] in seeds]
    number = max((kill.run for kill in tried if kill.seed == seed), default=0)
    while (killed := Counter(kill.role for kill in tried if kill.phase)).total() < count:
        number += 1
        kill = try_kill(folder, seed, number, role_that_lags(killed), longest_s)
        writer = JsonLinesWriter(table)
        writer.append(dataclasses.asdict(kill))
        writer.close()
        tried.append(kill)
        told = f"missed {', '.join(kill.missed)}" if kill.missed else "nothing missed"
        console.print(f"run {number}: {kill.phase or 'over before'}; {kill.exit_codes}; {told}; {kill.took_s:.0f} s")
        for sentence in kill.broken:
            console.print(f"    {sentence}", style="red")
    return tried


def kills_table(tried: list[TriedKill]) -> Table:
    """Return how often each process was killed, and what came of it."""
    table = Table(title="Kills", show_edge=False)
    table.add_column("process")
    for column in ("killed", "schedule ended", "with every tomogram", "resumes at most"):
        table.add_column(column, justify="right")
    for role in SHARES:
        of_role = [kill for kill in tried if kill.role == role and kill.phase]
        ended = [kill for kill in of_role if not kill.broken]
        table.add_row(
            role,
            str(len(of_role)),
            str(len(ended)),
            str(sum(not kill.missed for kill in ended)),
            str(max((len(kill.exit_codes) - 1 for kill in of_role), default=0)),
        )
    return table


def main() -> int:
    """Go through a campaign and print its table; return the exit code: 0 if everything held."""
    parser = parser_of("campaigns.kills", __doc__)
    add_sampling(parser, of_what="kills", count=10, directory="runs/campaign_of_kills", seeds="when each is killed")
    parser.add_argument(
        "--longest", type=float, default=UNDISTURBED_S, help="latest kill, s after a run began (as long as one lasts)"
    )
    arguments = parser.parse_args()

    def go(console: Console) -> int:
        tried = campaign(arguments.directory, arguments.seed, arguments.count, console, arguments.longest)
        console.print(kills_table(tried))
        return EXIT_COMPLETE if all(not kill.broken for kill in tried) else EXIT_FAILED

    return gone_through(go, stopped="The same command goes on with the kills that are missing.")


def _remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.with_suffix(".out").unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
