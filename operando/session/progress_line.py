"""What a run prints while it goes on: a moving line on a terminal, one line per phase elsewhere."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from operando.model.number_text import duration_text

if TYPE_CHECKING:
    from plans.report import Progress as PlanProgress


class ProgressLine:
    """Shows where the experiment is and how long its present phase still takes, in its own time."""

    def __init__(self, console: Console, *, rehearsal: bool) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("[bold red]REHEARSAL[/]" if rehearsal else "[bold]running[/]"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("connecting", total=1.0, left="")
        self._said = ""
        self._lock = threading.RLock()  # a question is asked, and answered, in a thread of its own
        self._over = False

    def __enter__(self) -> Self:
        """Begin to show."""
        self._draw(True)
        return self

    def __exit__(self, *_: object) -> None:
        """Take the line away for good."""
        with self._lock:
            self._draw(False)
            self._over = True

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Take the line away for a while: nothing is drawn over what a person types."""
        self._draw(False)
        try:
            yield
        finally:
            self._draw(True)

    def _draw(self, on: bool) -> None:
        with self._lock:
            if not self._console.is_terminal or self._over:
                return
            if on:
                self._progress.start()
            else:
                self._progress.stop()

    def show(self, progress: "PlanProgress") -> None:
        """Show one report of the plan."""
        where = f"{progress.step}: {progress.phase}"
        if progress.tomogram:
            where = f"{progress.step}: tomogram {progress.tomogram}, {progress.phase}"
        parts = [] if progress.left_s is None else [f"{duration_text(progress.left_s)} left"]
        if progress.num_frames_expected:
            parts.append(f"{progress.num_frames}/{progress.num_frames_expected} frames")
        left = ", ".join(parts)
        if self._console.is_terminal:
            self._progress.update(self._task, description=where, completed=min(progress.fraction, 1.0), left=left)
        elif where != self._said:
            self._console.print(", ".join([where, *parts]), markup=False, highlight=False, soft_wrap=True)
        self._said = where
