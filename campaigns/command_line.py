"""What the command lines of all campaigns have in common: seeds, how many, where, the terminal, and Ctrl-C."""

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from operando.session.errors import EXIT_STOPPED

WIDTH = 120  # of what is no terminal


def parser_of(module: str, text: str | None) -> argparse.ArgumentParser:
    """Return the parser of ``python -m module``; ``text`` is the module's own, of which the first line is shown."""
    return argparse.ArgumentParser(prog=f"python -m {module}", description=(text or "").splitlines()[0])


def add_sampling(parser: argparse.ArgumentParser, *, of_what: str, count: int, directory: str, seeds: str) -> None:
    """Add ``--seed``, one or several, ``--count`` and ``--directory``."""
    parser.add_argument(
        "--seed", type=at_least(0), nargs="+", default=[1], help=f"{seeds} (1); of several one table is printed"
    )
    parser.add_argument("--count", type=at_least(1), default=count, help=f"how many {of_what} ({count})")
    parser.add_argument("--directory", type=Path, default=Path(directory), help="where it is kept")


def gone_through(go: Callable[[Console], int], *, stopped: str, width: int = WIDTH) -> int:
    """Call ``go`` with a terminal and return its exit code; a signal ends it as Ctrl-C, and ``stopped`` is said."""
    console = Console(markup=False, emoji=False, highlight=False, soft_wrap=not sys.stdout.isatty())
    if not console.is_terminal:
        console.width = width
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.default_int_handler)  # no rehearsal is left behind
    try:
        return go(console)
    except KeyboardInterrupt:
        console.print(f"Stopped. {stopped}")
        return EXIT_STOPPED


def at_least(least: int) -> Callable[[str], int]:
    """Return what reads a whole number from the command line and refuses one below ``least``."""

    def number(text: str) -> int:
        found = int(text)
        if found < least:
            raise argparse.ArgumentTypeError(f"{found}: must be at least {least}")
        return found

    return number
