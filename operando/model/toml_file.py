"""Reading a TOML file into a typed form, with errors that name file, key, value and what is allowed."""

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

FormT = TypeVar("FormT", bound=BaseModel)

PLAINLY = (
    ("Input should be", "must be"),
    ("Tuple should have", "must have"),
    ("Dictionary should have", "must have"),
    ("String should have", "must have"),
    (" after validation, not 0", ""),
    ("a valid integer", "a whole number"),
    ("a valid dictionary or instance of", "a table of"),
    ("a valid tuple", "a list"),
    ("a valid string", "a text"),
    ("a valid", "a"),
)
MAX_BYTES = 1_000_000  # people write a few kB; more is another kind of file


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
    return validated(toml_content(path), form, path)


def toml_content(path: Path) -> dict[str, Any]:
    """Return what a TOML file holds, of whatever form.

    Raises
    ------
    FileFormatError
        If the file is missing or is not TOML.
    """
    try:
        return tomllib.loads(_text(path))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FileFormatError(f"{path}: is not valid TOML: {error}.") from error


def validated(content: dict[str, Any], form: type[FormT], path: Path) -> FormT:
    """Return what was read from ``path`` in its form.

    Raises
    ------
    FileFormatError
        If it holds an unknown key or a value that is not allowed.
    """
    try:
        return form.model_validate(content)
    except ValidationError as error:
        sentences = [sentence for mistake in error.errors() for sentence in _sentences(form, content, mistake)]
        raise FileFormatError("\n".join(f"{path}: {sentence}" for sentence in sentences)) from error


def _text(path: Path) -> str:
    try:
        if not path.exists():
            raise FileFormatError(f"{path}: there is no such file. Give the path of an existing file.")
        if not path.is_file():
            found = "a folder" if path.is_dir() else "no ordinary file"
            raise FileFormatError(f"{path}: is {found}. Give the path of a TOML file.")
        if (size := path.stat().st_size) > MAX_BYTES:
            raise FileFormatError(f"{path}: has {size} bytes; allowed are {MAX_BYTES}. Give the path of a TOML file.")
        return path.read_text(encoding="utf-8-sig")  # some editors write a byte order mark
    except UnicodeDecodeError as error:
        raise FileFormatError(
            f"{path}: is not text ({error.reason} at byte {error.start}). Give the path of a TOML file."
        ) from error
    except (OSError, ValueError) as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(f"{path}: cannot be read ({error}).") from error


def _sentences(form: type[BaseModel], content: object, mistake: Any) -> list[str]:
    key, written = _place(content, mistake["loc"])
    kind = mistake["type"]
    message = _plainly(str(mistake["msg"]).removeprefix("Value error, "))
    if not key and kind == "value_error":
        return message.splitlines()  # a whole file's contradictions name their own keys
    if kind == "extra_forbidden":
        known = ", ".join(_known_keys(form, mistake["loc"][:-1])) or "see the documentation"
        return [f"{key}: unknown key. Allowed here: {known}."]
    if kind == "missing":
        return [f"{key}: is missing and has no default. Add it."]
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        told = mistake["ctx"]["discriminator"].strip("'")
        if not isinstance(written, dict) or told not in written:
            return [f"{key}.{told}: is missing and has no default. Add it."]
        return [f"{key}.{told} = {written[told]!r}: must be one of {mistake['ctx']['expected_tags']}."]
    if kind == "model_type" and (keys := _known_keys(form, mistake["loc"])):
        message = f"must be a table with the keys {', '.join(keys)}"
    if isinstance(written, dict | list):
        return [f"{key}: {message}."]
    return [f"{key} = {shortened(repr(written))}: {shortened(message, 600)}."]


def _plainly(message: str) -> str:
    for technical, plain in PLAINLY:
        message = message.replace(technical, plain)
    return message


def _place(content: object, location: tuple[int | str, ...]) -> tuple[str, object]:
    """Return the key as a person finds it in the file, and what is written there.

    A table of a list is called by its name where it has one; parts of the location that are not in the file (pydantic
    adds the chosen kind of a step) are left out, save the last one, which may be missing.
    """
    parts: list[str] = []
    here = content
    for number, part in enumerate(location, start=1):
        if isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
            named = here.get("name") if isinstance(here, dict) else None
            parts.append(named if isinstance(named, str) and named.isprintable() and named else str(part + 1))
        elif isinstance(here, dict) and part in here:
            here = here[part]
            parts.append(str(part))
        elif number == len(location) and not (isinstance(here, dict) and part == here.get("step")):
            parts.append(str(part + 1) if isinstance(part, int) else part)
    return ".".join(parts), here


def _known_keys(form: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    models: list[type[BaseModel]] = [form]
    for part in location:
        inner = [field for model in models if (field := model.model_fields.get(str(part))) is not None]
        if inner:
            models = _models_in(inner[0].annotation)
        elif len(models) > 1:  # pydantic names the chosen kind of a step
            models = [model for model in models if str(part) in _choices(model)] or models
    return sorted(field.alias or key for key, field in models[0].model_fields.items()) if len(models) == 1 else []


def _choices(model: type[BaseModel]) -> tuple[object, ...]:
    return tuple(
        choice for field in model.model_fields.values() for choice in getattr(field.annotation, "__args__", ())
    )


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    found: list[type[BaseModel]] = []
    for argument in getattr(annotation, "__args__", ()):
        found += [model for model in _models_in(argument) if model not in found]
    return found


def shortened(text: str, length: int = 100) -> str:
    """Return ``text``, cut where a terminal would drown in it."""
    return text if len(text) <= length else f"{text[:length]} ... ({len(text)} characters)"
