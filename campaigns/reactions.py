"""Reaction times of the guard: a limit is broken while acquisition stands still, analysis and a monitor are busy.

Whoever interrupts it gives the same command again: it goes on with the trips that are missing.
"""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from campaigns.command_line import add_sampling, gone_through, parser_of
from campaigns.reaction_run import MeasuredReaction, NoTripError, experiment_without_delay, measured_reaction
from operando.model.json_lines import JsonLinesWriter, read_json_lines
from operando.session.errors import EXIT_COMPLETE, EXIT_FAILED

TABLE_FILE = "reactions.jsonl"
LONGEST_TAKEN_S = 0.05  # at the 99th percentile: from the arrival of the reading to the completed put of the stop
LONGEST_VERIFIED_S = 2.0  # two polls of the instrument, on the run's clock
ROWS = (
    ("stop sent", "sent_after_s"),
    ("put completed", "taken_after_s"),
    ("open circuit seen in the readback", "seen_after_s"),
    ("the same, on the run's clock", "verified_after_clock_s"),
)


def campaign(folder: Path, seeds: Sequence[int], count: int, console: Console) -> list[MeasuredReaction]:
    """Measure ``count`` trips; return all of these seeds, of this call and before; the last one gives new moments."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    experiment = experiment_without_delay(folder)
    table, seed = folder / TABLE_FILE, seeds[-1]
    measured = [MeasuredReaction(**line) for line in read_json_lines(table) if line["seed"] in seeds]
    number = max((reaction.run for reaction in measured if reaction.seed == seed), default=0)
    while len(measured) < count:
        number += 1
        reaction = measured_reaction(folder, experiment, seed, number)
        writer = JsonLinesWriter(table)
        writer.append(dataclasses.asdict(reaction), durable=False)
        writer.close()
        measured.append(reaction)
        console.print(
            f"trip {number}: put completed after {1e3 * reaction.taken_after_s:.1f} ms, open circuit seen after "
            f"{reaction.seen_after_s:.2f} s; the acquisition stood still for {reaction.blocked_s:.1f} s"
        )
    return measured


def reactions_table(measured: Sequence[MeasuredReaction]) -> Table:
    """Return median, 99th percentile and worst of each time."""
    table = Table(title=f"Reactions, {len(measured)} trips", show_edge=False)
    table.add_column("since the violating reading arrived")
    for column in ("median", "99th percentile", "worst"):
        table.add_column(column, justify="right")
    for words, name in ROWS:
        times_s = np.array([getattr(reaction, name) for reaction in measured])
        found_s = (np.median(times_s), np.percentile(times_s, 99), times_s.max())
        table.add_row(words, *(f"{1e3 * each_s:.1f} ms" if each_s < 1 else f"{each_s:.2f} s" for each_s in found_s))
    return table


def holds(measured: Sequence[MeasuredReaction]) -> bool:
    """Return whether the promise holds."""
    taken_s = np.percentile([reaction.taken_after_s for reaction in measured], 99)
    verified = all(reaction.verified_after_clock_s <= LONGEST_VERIFIED_S for reaction in measured)
    return bool(taken_s <= LONGEST_TAKEN_S) and verified


def main() -> int:
    """Measure and print the table; return the exit code: 0 if the promise holds."""
    parser = parser_of("campaigns.reactions", __doc__)
    add_sampling(parser, of_what="trips", count=20, directory="runs/campaign_of_reactions", seeds="at which moments")
    arguments = parser.parse_args()

    def go(console: Console) -> int:
        try:
            measured = campaign(arguments.directory, arguments.seed, arguments.count, console)
        except NoTripError as error:
            console.print(f"{error}; what it left stays in {arguments.directory}.", style="red")
            return EXIT_FAILED
        console.print(reactions_table(measured))
        return EXIT_COMPLETE if holds(measured) else EXIT_FAILED

    return gone_through(go, stopped="The same command goes on with the trips that are missing.")


if __name__ == "__main__":
    sys.exit(main())
