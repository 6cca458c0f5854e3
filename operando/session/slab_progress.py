"""Progress of a volume: a bar with the time left on a terminal, a line for each slab elsewhere."""

from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from live_analysis.final_volume.making import VolumeProgress
from operando.model.number_text import duration_text


class SlabProgress:
    """Shows how many slabs are on the disk and how long the rest takes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("reconstructing"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("slabs", total=None, left="")

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        if self._console.is_terminal:
            self._bar.stop()

    def show(self, progress: VolumeProgress) -> None:
        """Show how far the volume is."""
        known = progress.num_done > progress.num_before
        left = f"{duration_text(progress.left_s)} left" if known else "time left not known yet"
        slabs = f"slab {progress.num_done}/{progress.num_slabs} on the disk"
        if self._console.is_terminal:
            self._bar.update(self._task, completed=progress.num_done, total=progress.num_slabs, left=f"{slabs}, {left}")
        elif known:
            self._console.print(f"{slabs}, {left}", highlight=False, soft_wrap=True)
