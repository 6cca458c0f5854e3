"""The commands that serve until they are ended: simulated beamline, guard, analysis."""

import signal
import threading
from pathlib import Path

from rich.console import Console

from operando.session.errors import EXIT_COMPLETE
from operando.session.layout import open_run_directory
from operando.session.processes import write_pid_file


def simulate_beamline(
    experiment_file: Path,
    geometry: str,
    directory: Path,
    *,
    seed: int | None,
    epoch_s: float | None,
    recorded: Path | None,
    angle_unit: str | None,
) -> int:
    """Serve the simulated beamline in the foreground."""
    from simulators.beamline import run_simulated_beamline

    run_simulated_beamline(
        experiment_file, geometry, directory, seed=seed, epoch_s=epoch_s, recorded_scan=recorded, angle_unit=angle_unit
    )
    return EXIT_COMPLETE


def guard_cell(path: Path, *, stop_cell: bool) -> int:
    """Guard the cell of a run in the foreground."""
    from operando.guard.main import run_guard

    return run_guard(open_run_directory(path).path, stop_cell=stop_cell)


def analyse_run(path: Path, *, follow: bool, again: bool, console: Console) -> int:
    """Analyse a run in the foreground; SIGTERM and Ctrl-C end it between two steps of work."""
    from live_analysis.analyse import analyse

    run = open_run_directory(path)
    write_pid_file(run.processes, "analysis")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        analyse(run.path, follow=follow, again=again, stop=stop, report=console.print)
    finally:
        (run.processes / "analysis.pid").unlink(missing_ok=True)
    return EXIT_COMPLETE
