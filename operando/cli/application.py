"""The command line: how a person starts, watches, asks and reads a run."""

import signal
import sys
from collections.abc import Callable
from typing import NoReturn

import typer
from rich.console import Console

from operando.cli import experiments, processes, requests, views, volumes
from operando.model.process_end import run_as_process

COMMANDS: tuple[Callable[..., None], ...] = (  # in the order in which the help tells them
    experiments.run,
    experiments.resume,
    experiments.align,
    experiments.check,
    processes.simulate,
    processes.guard,
    processes.analyse,
    experiments.replay,
    views.monitor,
    views.watch,
    views.results,
    views.compare,
    views.report,
    volumes.export,
    volumes.reconstruct,
    volumes.phases,
    requests.ask,
    requests.inject,
    views.status,
    views.devices,
)

application = typer.Typer(
    name="operando",
    help="Run, rehearse and watch operando tomography of solid-state battery cells.\n\n"
    "Begin with: operando run experiments/cus_26mpa.toml (a rehearsal on simulated hardware), "
    "then operando watch or operando monitor in a second terminal.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in COMMANDS:
    application.command()(command)


def main() -> None:
    """Run the command line; mistakes of a person end with exit code 2 and a sentence each, as a full disk with 1."""
    from operando.session.errors import EXIT_FAILED, EXIT_MISTAKE, EXIT_STOPPED, PERSONS_MISTAKES, sentence_of_disk

    try:
        application(prog_name="operando")
    except SystemExit as ending:
        if ending.code == EXIT_STOPPED:  # it stays so for whoever presses Ctrl-C twice
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise
    except PERSONS_MISTAKES as error:
        _tell(str(error))
        sys.exit(EXIT_MISTAKE)
    except OSError as error:
        if not (told := sentence_of_disk(error)):
            raise
        _tell(told)
        sys.exit(EXIT_FAILED)


def _tell(text: str) -> None:
    for sentence in text.splitlines():
        Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False).print(sentence)


def program() -> NoReturn:
    """Run the command line as a process of its own, which ends with the command's exit code."""
    run_as_process(main)
