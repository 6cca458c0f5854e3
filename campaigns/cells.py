"""Study of invented cells: rehearses each, measures it, and tells how often the truth lies inside the uncertainties.

A cell that is measured is not measured again: whoever interrupts a study gives the same command again. The files of
the cells, their runs and logs stay in the study's folder.
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from campaigns.cell_experiment import GEOMETRY, experiment_text
from campaigns.command_line import at_least, gone_through, parser_of
from campaigns.coverage import ASKED_SHARE, Case, judged_cases, share_inside
from campaigns.coverage_tables import cases_table, coverage_tables, share_text
from campaigns.invented_cell import invent_cell
from campaigns.rehearsal import RehearsalFailedError, measure_again, rehearse
from live_analysis.results import read_measurements
from operando.model.experiment_file import load_experiment
from operando.model.number_text import duration_text
from operando.model.run_directory import RunDirectory
from operando.session.comparison import ComparedRun, comparison
from operando.session.errors import EXIT_COMPLETE, EXIT_FAILED

_EXPERIMENTS = Path(__file__).parents[1] / "experiments"
SHIPPED_EXPERIMENT, SHIPPED_CELL = _EXPERIMENTS / "cus_26mpa.toml", _EXPERIMENTS / "cus_26mpa.cell.toml"


@dataclass(frozen=True)
class StudiedCell:
    """One cell of a study and its folder."""

    number: int
    folder: Path

    @property
    def run(self) -> Path:
        """Its run directory, which is there when everything in it is measured."""
        return self.folder / "run"

    @property
    def experiment(self) -> Path:
        """Its experiment file, beside the file of the cell."""
        return self.folder / "experiment.toml"

    def write_files(self, seed: int) -> None:
        """Invent the cell and write its file and its experiment's.

        Raises
        ------
        FileFormatError
            If what was written is no experiment.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        cell = invent_cell(SHIPPED_CELL, seed, self.number)
        (self.folder / "cell.toml").write_text(cell.text, encoding="utf-8")
        text = experiment_text(SHIPPED_EXPERIMENT, cell, "cell.toml", f"invented_cell_{self.number}")
        self.experiment.write_text(text, encoding="utf-8")
        load_experiment(self.experiment)

    def cases(self) -> list[Case]:
        """Return what its run has measured, beside the truth."""
        run = RunDirectory(self.run)
        compared = ComparedRun(run, load_experiment(run.experiment), read_measurements(run.results))
        return judged_cases(f"cell {self.number}", comparison([compared]))


def study(folder: Path, seed: int, count: int, console: Console, *, again: bool) -> tuple[list[Case], int]:
    """Measure every cell that is not measured yet; return all cases, and how many cells could not be measured.

    Parameters
    ----------
    folder
        Where the cells and their runs are; made if it is not there.
    seed, count
        Which cells, and how many.
    again
        Measure complete runs again, as after a change of the analysis.
    """
    cells = [StudiedCell(number, folder / f"seed_{seed}_cell_{number:02d}") for number in range(1, count + 1)]
    waiting = [cell for cell in cells if again or not cell.run.is_dir()]
    found: list[Case] = []
    num_failed, num_done, begin_s = 0, 0, time.perf_counter()
    for cell in cells:
        try:
            if not cell.run.is_dir():
                cell.write_files(seed)
                rehearse(cell.experiment, GEOMETRY, cell.run)
            elif again:
                measure_again(cell.run)
        except RehearsalFailedError as error:
            num_failed += 1
            console.print(f"cell {cell.number}: {error}", style="red")
        else:
            cases = cell.cases()
            found += cases
            console.print(f"cell {cell.number}: truth inside two uncertainties in {share_text(cases)}")
        if cell in waiting:
            num_done += 1
            left_s = (time.perf_counter() - begin_s) / num_done * (len(waiting) - num_done)
            console.print(f"{num_done} of {len(waiting)} cells done, about {duration_text(left_s)} left")
    return found, num_failed


def main() -> int:
    """Study the cells and print what came out; return the exit code: 0 if at least 90 % of the truths lie inside."""
    parser = parser_of("campaigns.cells", __doc__)
    parser.add_argument("--count", type=at_least(1), default=10, help="how many cells (10)")
    parser.add_argument("--seed", type=at_least(0), default=1, help="which cells are invented (1)")
    parser.add_argument("--directory", type=Path, default=Path("runs/study_of_cells"), help="where runs are kept")
    parser.add_argument("--full-table", action="store_true", help="print every case too")
    parser.add_argument("--again", action="store_true", help="measure complete runs again, as after a change")
    arguments = parser.parse_args()

    def go(console: Console) -> int:
        cases, num_failed = study(arguments.directory, arguments.seed, arguments.count, console, again=arguments.again)
        if arguments.full_table and cases:
            console.print(cases_table(cases))
        console.print(*coverage_tables(cases))
        is_met = not num_failed and share_inside(cases) >= ASKED_SHARE
        console.print(
            f"{arguments.count - num_failed} of {arguments.count} cells: truth inside two uncertainties in "
            f"{share_text(cases)}; asked for are {ASKED_SHARE:.0%}: {'met' if is_met else 'NOT MET'}."
        )
        return EXIT_COMPLETE if is_met else EXIT_FAILED

    return gone_through(go, stopped="The same command goes on with the cells that are missing.", width=140)


if __name__ == "__main__":
    sys.exit(main())
