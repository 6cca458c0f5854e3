"""What was asked of a run: its experiment file, with the changes of its schedule that people made under way."""

from operando.model.edited_schedule import present_experiment
from operando.model.experiment import Experiment
from operando.model.run_directory import RunDirectory
from operando.model.schedule import CellStep

UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


class AskedExperiment:
    """The experiment of a run; read again when its file or the number of changes is another one."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._seen: tuple[int, int, int] | None = None
        self.experiment: Experiment | None = None  # nobody knows it where its file is missing or damaged
        self.steps: list[tuple[int, CellStep]] = []

    def update(self, num_edits: int) -> None:
        """Read what has changed; ``num_edits`` is how many changes of the schedule were taken over."""
        try:
            status = self._run.experiment.stat()
            seen = status.st_mtime_ns, status.st_size, num_edits
            if seen == self._seen:
                return
            self._seen, self.experiment, self.steps = seen, None, []
            experiment = present_experiment(self._run)
            self.experiment, self.steps = experiment, experiment.steps
        except FileNotFoundError:
            self._seen, self.experiment, self.steps = None, None, []
        except UNREADABLE:
            pass
