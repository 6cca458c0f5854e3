"""Reading a TOML file into a typed form, with errors that name file, key, value and what is allowed."""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

FormT = TypeVar("FormT", bound=BaseModel)


class FileFormatError(ValueError):
    """A file a person wrote says something that cannot be; the message is one sentence per mistake."""


class Table(BaseModel):
    """A table of a file: every key is known, and what was read does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def read_toml(path: Path, form: type[FormT]) -> FormT:
    """Read ``path`` into ``form``.

    Raises
    ------
    FileFormatError
        If the file is missing, is not TOML, or holds an unknown key or a value that is not allowed.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileFormatError(f"{path}: there is no such file. Give the path of an existing file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{path}: cannot be read as text ({error}).") from error
    except tomllib.TOMLDecodeError as error:
        raise FileFormatError(f"{path}: is not valid TOML: {error}.") from error
    try:
        return form.model_validate(content)
    except ValidationError as error:
        raise FileFormatError("\n".join(_sentence(path, form, mistake) for mistake in error.errors())) from error


def _sentence(path: Path, form: type[BaseModel], mistake: object) -> str:
    assert isinstance(mistake, dict)
    location = [part for part in mistake["loc"] if isinstance(part, int) or not str(part).startswith("function-")]
    key = ".".join(str(part) for part in location) or "(whole file)"
    kind = mistake["type"]
    message = str(mistake["msg"]).removeprefix("Value error, ")
    if kind == "extra_forbidden":
        known = ", ".join(_known_keys(form, location[:-1])) or "see the documentation"
        return f"{path}: {key}: unknown key. Allowed here: {known}."
    if kind == "missing":
        return f"{path}: {key}: is missing and has no default. Add it."
    if isinstance(mistake["input"], dict | list):
        return f"{path}: {key}: {message}."
    return f"{path}: {key} = {mistake['input']!r}: {message}."


def _known_keys(form: type[BaseModel], location: list[object]) -> list[str]:
    model: object = form
    for part in location:
        if isinstance(part, int) or not isinstance(model, type) or not issubclass(model, BaseModel):
            continue
        field = model.model_fields.get(str(part))
        if field is None:
            continue
        model = next((kind for kind in _models_in(field.annotation) if kind), model)
    if isinstance(model, type) and issubclass(model, BaseModel) and (model is not form or not location):
        return sorted(model.model_fields)
    return []


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    found: list[type[BaseModel]] = []
    for argument in getattr(annotation, "__args__", ()):
        found += _models_in(argument)
    return found
