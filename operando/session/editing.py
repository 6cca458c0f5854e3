"""Another schedule for what remains of an experiment: looked through as a new one is, kept in the run directory."""

import shutil
from pathlib import Path

from operando.model.beamline import load_beamline
from operando.model.edited_schedule import edited, present_experiment
from operando.model.experiment import Experiment
from operando.model.run_directory import RunDirectory
from operando.model.toml_file import FileFormatError
from operando.session.asked import read_asked
from operando.session.begun_steps import num_begun
from operando.session.errors import RequestError

MAX_EDITS = 999


def keep_edit(run: RunDirectory, file: Path) -> str:
    """Refuse a schedule that cannot work, or keep a copy of its file; return the name of the copy.

    Raises
    ------
    FileFormatError, RequestError
        With one sentence per mistake, as for a new experiment.
    """
    experiment = present_experiment(run)
    begun = num_begun(run, experiment)
    refuse_what_cannot_follow(run, edited(run, experiment, file, num_begun=begun), file, num_begun=begun)
    run.edits.mkdir(exist_ok=True)
    for number in range(1, MAX_EDITS + 1):
        copy = run.edited_schedule(f"{number:04d}.toml")
        try:
            copy.touch(exist_ok=False)  # whoever makes it has the number
        except FileExistsError:
            continue
        shutil.copyfile(file, copy)
        return copy.name
    raise RequestError(f"{run.edits}: holds {MAX_EDITS} schedules already. Begin a new run.")


def taken_edit(run: RunDirectory, name: str, num_begun: int) -> Experiment:
    """Return the experiment with a schedule that was kept, looked through once more.

    Raises
    ------
    ValueError
        With what is wrong with it.
    """
    file = run.edited_schedule(name)
    experiment = edited(run, present_experiment(run), file, num_begun=num_begun)
    refuse_what_cannot_follow(run, experiment, file, num_begun=num_begun)
    return experiment


def refuse_what_cannot_follow(run: RunDirectory, experiment: Experiment, file: Path, *, num_begun: int) -> None:
    """Refuse what the instruments or the disk cannot do, and a schedule of which nothing is left.

    Raises
    ------
    FileFormatError
        With one sentence per mistake.
    """
    from plans.check import check

    following = experiment.steps[num_begun:]
    if not following:
        raise FileFormatError(
            f"{file}: schedule: holds no step that is still to come. Ask 'stop-after' to end earlier."
        )
    remaining = experiment.model_copy(update={"schedule": tuple(step for _, step in following)})
    free_bytes = shutil.disk_usage(run.path).free
    found = check(remaining, read_asked(run).geometry, load_beamline(run.beamline), disk_free_bytes=free_bytes)
    if found.refusals:
        raise FileFormatError("\n".join(f"{file}: {sentence}" for sentence in found.refusals))
