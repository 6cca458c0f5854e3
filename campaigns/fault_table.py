"""The table of a campaign: one line of JSON for every fault that was tried, and what it adds up to by class."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from campaigns.fault_classes import CLASSES
from operando.model.json_lines import JsonLinesWriter, read_json_lines


@dataclass(frozen=True)
class TriedFault:
    """One fault that really happened; ``broken`` are the invariants that its run did not keep."""

    seed: int
    run: int
    name: str
    fault: dict[str, Any]
    reaction_s: float | None
    allowed_s: float | None
    exit_code: int | None
    took_s: float
    broken: list[str]

    @property
    def survived(self) -> bool:
        """Whether everything held."""
        return not self.broken


def read_tried(path: Path, seeds: Sequence[int]) -> list[TriedFault]:
    """Return the faults of a campaign's seeds that its file holds."""
    return [TriedFault(**line) for line in read_json_lines(path) if line["seed"] in seeds]


def append_tried(path: Path, tried: Sequence[TriedFault]) -> None:
    """Add the faults of one run."""
    writer = JsonLinesWriter(path)
    for fault in tried:
        writer.append(asdict(fault), durable=False)
    writer.close()


def campaign_table(tried: Sequence[TriedFault]) -> Table:
    """Return how often each class was tried and survived, and its worst reaction time."""
    table = Table(title="Faults", show_edge=False)
    table.add_column("fault")
    for column in ("tried", "survived", "worst reaction, s", "allowed, s"):
        table.add_column(column, justify="right")
    for name in CLASSES:
        of_class = [fault for fault in tried if fault.name == name]
        reactions = [fault for fault in of_class if fault.reaction_s is not None]
        worst = max(reactions, key=lambda fault: fault.reaction_s or 0.0, default=None)
        table.add_row(
            name,
            str(len(of_class)),
            str(sum(fault.survived for fault in of_class)),
            "" if worst is None else f"{worst.reaction_s:.1f}",
            "" if worst is None or worst.allowed_s is None else f"{worst.allowed_s:.1f}",
        )
    return table
