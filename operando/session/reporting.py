"""Writing the report of a run because a person asked for it."""

from pathlib import Path

from rich.console import Console

from operando.model.clock import SystemClock
from operando.session.errors import RequestError
from operando.session.layout import open_run_directory
from operando.session.report.writing import write_report


def report_run(path: Path, output: Path | None, console: Console, *, with_truth: bool) -> None:
    """Write the report of a run and print where it is.

    Raises
    ------
    RunDirectoryError, RequestError
        If ``path`` is no run, or the report cannot be written where it should go.
    """
    run = open_run_directory(path)
    try:
        page = write_report(run, written_s=SystemClock().now(), output=output, with_truth=with_truth)
    except OSError as error:
        raise RequestError(f"The report cannot be written ({error}). Name a folder with --output.") from error
    console.print(f"The report is {page}", soft_wrap=True, highlight=False)
