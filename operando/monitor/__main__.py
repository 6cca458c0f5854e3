"""The monitor as a process of its own, so that it lives when everything else has died."""

import argparse
import sys
from io import TextIOWrapper
from pathlib import Path

from rich.console import Console

from operando.model.expendable import become_expendable
from operando.model.process_end import run_as_process
from operando.model.run_directory import RunDirectory
from operando.monitor.theme import Theme

PAGES = ("now", "history", "inside", "health")


def main() -> int:
    """Open the window or the terminal view on a run."""
    parser = argparse.ArgumentParser(prog="python -m operando.monitor", description=__doc__)
    parser.add_argument("view", choices=("window", "watch"))
    parser.add_argument("run", type=Path)
    parser.add_argument("--headless", type=Path, metavar="PNG", help="draw the window into a file, without a display")
    parser.add_argument("--page", default="now", choices=PAGES, help="which page is drawn")
    parser.add_argument("--theme", default=Theme.DARK, type=Theme, choices=tuple(Theme), help="its colours")
    parser.add_argument("--size", default=(1366, 768), type=_size, metavar="WxH", help="its size in pixels")
    parser.add_argument("--once", action="store_true", help="print once and end")
    options = parser.parse_args()
    become_expendable()
    run = RunDirectory(options.run.absolute())
    if options.view == "watch":
        from operando.monitor.watch import watch

        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # a terminal that does not know a sign shows another in its place
        console = Console()
        watch(run, console if console.is_terminal else Console(width=120), once=options.once)
        return 0
    from operando.monitor.main import Picture, run_monitor

    picture = options.headless and Picture(options.headless, options.page, options.theme, options.size)
    return run_monitor(run, picture)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


if __name__ == "__main__":
    run_as_process(main)
