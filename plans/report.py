"""What an experiment says about itself while it runs, and what a person may wish of it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Where the experiment is: step and phase, done part of the phase, s of the clock left of it, frames so far.

    ``left_s`` is None where nobody knows, as without a beam.
    """

    step: str
    phase: str
    fraction: float
    left_s: float | None
    num_frames: int = 0
    num_frames_expected: int = 0
    tomogram: str = ""


Report = Callable[[Progress], None]


def say_nothing(progress: Progress) -> None:
    """Take a report and drop it."""


class Wishes:
    """What the session may ask of a running experiment, from any thread."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._leave_running = threading.Event()

    def stop_after_tomogram(self) -> None:
        """End the experiment after the tomogram that is being taken, or at once if there is none."""
        self._stop.set()

    def leave_cell_running(self) -> None:
        """End as :meth:`stop_after_tomogram`, and leave the technique to the guard."""
        self._leave_running.set()
        self._stop.set()

    def stop_now(self) -> None:
        """End the experiment; the cell goes to open circuit, whatever was wished before."""
        self._leave_running.clear()
        self._stop.set()

    @property
    def stopping(self) -> bool:
        """Whether the experiment should end soon."""
        return self._stop.is_set()

    @property
    def cell_stays(self) -> bool:
        """Whether the technique goes on after the plan's end."""
        return self._leave_running.is_set()
