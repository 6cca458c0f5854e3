"""Making a run directory: exact copies of what was asked, a secret for the guard, folders for everything."""

import datetime
import os
import secrets
import shutil
from pathlib import Path

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
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise RunDirectoryError(
            f"--run-dir {path}: is in use ({'holds files already' if path.is_dir() else 'is a file'}). "
            "Name a folder that does not exist yet, or an empty one."
        )
    run = RunDirectory(path.resolve())
    try:
        for folder in (run.path, run.frames, run.tomograms, run.volumes, run.report, run.processes):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunDirectoryError(f"--run-dir {path}: cannot be made ({error.strerror}).") from error
    shutil.copyfile(experiment_file, run.experiment)
    descriptor = os.open(run.token, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(16))
    return run


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
    run = RunDirectory(path.resolve())
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
