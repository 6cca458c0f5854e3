"""Reading an experiment file: its form, and that it does not contradict itself."""

import tomllib
from pathlib import Path

from operando.model.contradictions import contradictions
from operando.model.experiment import Experiment
from operando.model.toml_file import FileFormatError, read_toml


def load_experiment(path: Path) -> Experiment:
    """Read an experiment file.

    Raises
    ------
    FileFormatError
        With one sentence per mistake, naming file, key, value and what is allowed.
    """
    experiment = read_toml(path, Experiment)
    if found := contradictions(experiment):
        raise FileFormatError("\n".join(f"{path}: {sentence}" for sentence in found))
    return experiment


def raw_table(path: Path) -> dict[str, object]:
    """Return the file as it was written, for the run's start document."""
    return tomllib.loads(path.read_text(encoding="utf-8-sig"))
