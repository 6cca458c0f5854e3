"""Making a run directory: exact copies of what was asked, a secret for the guard, folders for everything."""

import datetime
import os
import secrets
import shutil
from pathlib import Path

from operando.model.process_files import read_pid_files
from operando.model.run_directory import RunDirectory


class RunDirectoryError(ValueError):
    """The run cannot be put where it was asked to go."""


def make_run_directory(experiment_file: Path, name: str, *, directory: Path | None) -> RunDirectory:
    """Make the folder of a new run and copy the experiment file into it.

    Parameters
    ----------
    experiment_file
        File that was asked for; its exact bytes are kept.
    name
        Name of the experiment, part of the folder's name.
    directory
        Where the run goes; ``runs/<start>_<name>`` if not given. It must not exist or must be empty.

    Raises
    ------
    RunDirectoryError
        If the directory holds something already, or cannot be made.
    """
    path = directory or _unused(Path("runs"), f"{datetime.datetime.now():%Y-%m-%dT%H-%M-%S}_{name}")
    try:
        refuse_used_directory(path)
        run = RunDirectory(path.resolve())
        run.path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(run.token, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # whoever makes it has the folder
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(16))
        for folder in (run.frames, run.tomograms, run.volumes, run.report, run.processes):
            folder.mkdir(exist_ok=True)
        shutil.copyfile(experiment_file, run.experiment)
    except FileExistsError as error:
        raise RunDirectoryError(f"--run-dir {path}: another run has just begun there. Name another folder.") from error
    except OSError as error:
        raise RunDirectoryError(
            f"--run-dir {path}: cannot be written ({error.strerror}). Name a folder where you may write."
        ) from error
    return run


def refuse_used_directory(path: Path) -> None:
    """Refuse a folder that holds something already: a run never mixes with older files.

    Raises
    ------
    RunDirectoryError
        Also where a run lives in it.
    """
    try:
        if not path.exists() or (path.is_dir() and not any(path.iterdir())):
            return
    except OSError as error:
        raise RunDirectoryError(f"--run-dir {path}: cannot be used ({error.strerror}). Name another folder.") from error
    living = [f"{record.role} {record.pid}" for record in read_pid_files(path / "processes") if record.alive]
    found = "is a file" if not path.is_dir() else "holds files already"
    if living:
        found = f"a run lives there: {', '.join(living)}"
    raise RunDirectoryError(
        f"--run-dir {path}: is in use ({found}). Name a folder that does not exist yet, or an empty one."
    )


def _unused(parent: Path, name: str) -> Path:
    path = parent / name
    number = 2
    while path.exists():
        path = parent / f"{name}_{number}"
        number += 1
    return path


def open_run_directory(path: Path) -> RunDirectory:
    """Return an existing run.

    Raises
    ------
    RunDirectoryError
        If ``path`` is not a run directory.
    """
    run = RunDirectory(Path(os.path.realpath(path)))  # which ends also at a link to itself
    if not run.experiment.is_file():
        found = "no such folder" if not path.is_dir() else "no experiment.toml in it"
        raise RunDirectoryError(f"{path}: is not a run directory ({found}). Give a folder under runs/.")
    return run


def newest_run(parent: Path = Path("runs")) -> Path:
    """Return the folder of the newest run under ``parent``.

    Raises
    ------
    RunDirectoryError
        If there is none.
    """
    found = [path for path in parent.glob("*") if (path / "experiment.toml").is_file()] if parent.is_dir() else []
    if not found:
        raise RunDirectoryError(f"{parent}: holds no run yet. Start one with 'operando run FILE' or give its folder.")
    return max(found, key=lambda path: (path / "experiment.toml").stat().st_mtime)
