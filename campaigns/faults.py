"""Campaign of faults: rehearsals in which random things go wrong at random moments, and what must hold regardless.

Whoever interrupts it gives the same command again: it goes on with the runs that are missing. Runs that broke an
invariant stay in the campaign's folder, the others leave a line for each fault in its table.
"""

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from campaigns.command_line import add_sampling, gone_through, parser_of
from campaigns.fault_classes import CLASSES
from campaigns.fault_invariants import Evidence, broken_invariants
from campaigns.fault_plan import planned_faults
from campaigns.fault_reactions import reactions
from campaigns.fault_run import LONGEST_S, is_over, run_disturbed
from campaigns.fault_table import TriedFault, append_tried, campaign_table, read_tried
from operando.session.errors import EXIT_COMPLETE, EXIT_FAILED

TABLE_FILE = "table.jsonl"


def try_run(folder: Path, seed: int, number: int, classes: Sequence[str] = CLASSES) -> list[TriedFault]:
    """Make one run of a campaign of some classes and judge it; return the faults that really happened.

    Its directory is left only if something did not hold.
    """
    directory = (folder / f"seed_{seed}_run_{number:04d}").resolve()
    _remove(directory)
    faults = planned_faults(seed, number, classes)
    run = run_disturbed(directory, faults)
    sent = [{"fault": fault.name, "wall_s": sent_s} for fault, sent_s in run.signals]
    directory.with_suffix(".signals.json").write_text(json.dumps(sent), encoding="utf-8")
    broken = [f"still running: {command}" for command in run.left]
    if run.exit_code is None:
        broken.append(f"operando {run.commands[-1][0]} did not end within {LONGEST_S:.0f} s")
    elif not is_over(directory):
        broken.append(f"the schedule did not end: {', '.join(f'{name} {code}' for name, code in run.commands)}")
    evidence = Evidence(directory, run.exit_code, run.output)
    broken += [*broken_invariants(evidence), *run.lost]
    found = reactions(evidence, faults, run)
    broken += [reaction.late for reaction in found if reaction.late]
    tried = [
        TriedFault(
            seed,
            number,
            fault.name,
            fault.table or {"role": fault.role, "after_s": fault.after_s, "hangs_s": fault.hangs_s},
            reaction.took_s,
            reaction.allowed_s,
            run.exit_code,
            run.took_s,
            broken,
        )
        for fault, reaction in zip(faults, found, strict=True)
        if reaction.begun
    ]
    if not broken:
        _remove(directory)
    return tried


def campaign(
    folder: Path, seeds: Sequence[int], count: int, console: Console, classes: Sequence[str] = CLASSES
) -> list[TriedFault]:
    """Try at least ``count`` faults; return all that were tried with these seeds, in this call and before.

    What is missing is tried with the last of them, faults of these classes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table, seed = folder / TABLE_FILE, seeds[-1]
    tried = read_tried(table, seeds)
    number = max((fault.run for fault in tried if fault.seed == seed), default=0)
    while len(tried) < count:
        number += 1
        new = try_run(folder, seed, number, classes)
        append_tried(table, new)
        tried += new
        names = ", ".join(fault.name for fault in new) or "nothing went wrong in time"
        console.print(f"run {number}: {names}" + (f"; {new[0].took_s:.0f} s" if new else ""))
        for sentence in new[0].broken if new else []:
            console.print(f"    {sentence}", style="red")
    return tried


def main() -> int:
    """Go through a campaign and print its table; return the exit code: 0 if every invariant held."""
    parser = parser_of("campaigns.faults", __doc__)
    add_sampling(
        parser, of_what="faults at least", count=20, directory="runs/campaign_of_faults", seeds="which faults, and when"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=CLASSES,
        default=CLASSES,
        metavar="CLASS",
        help="tries faults of these classes alone, as printed in the table (all); some happen to come too late",
    )
    arguments = parser.parse_args()

    def go(console: Console) -> int:
        tried = campaign(arguments.directory, arguments.seed, arguments.count, console, arguments.only)
        console.print(campaign_table(tried))
        survived = sum(fault.survived for fault in tried)
        num_runs = len({(fault.seed, fault.run) for fault in tried})
        console.print(f"{len(tried)} faults in {num_runs} runs: {survived} survived.")
        return EXIT_COMPLETE if survived == len(tried) else EXIT_FAILED

    return gone_through(go, stopped="The same command goes on with the runs that are missing.")


def _remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    for suffix in (".out", ".faults.toml", ".signals.json"):
        directory.with_suffix(suffix).unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
