"""Writing a nested table as TOML, so that a person can read and edit what a program invented."""

import json
import math
from collections.abc import Mapping
from typing import Any


def toml_text(content: Mapping[str, Any]) -> str:
    """Return the text of a TOML file.

    Parameters
    ----------
    content
        Texts, numbers, truth values, lists and tables of these by their key. Tables within tables that hold no further
        table are written on one line.

    Raises
    ------
    ValueError
        If a number is not finite, or a value is of another kind.
    """
    lines = [f"{_key(key)} = {_value(value)}" for key, value in content.items() if not _has_tables(value)]
    for key, value in content.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{_key(key)}]", *_table(value, _key(key))]
        elif _has_tables(value):
            for entry in value:
                lines += ["", f"[[{_key(key)}]]", *_table(entry, _key(key))]
    return "\n".join(lines).lstrip("\n") + "\n"


def _table(content: Mapping[str, Any], name: str) -> list[str]:
    deep = [key for key, value in content.items() if isinstance(value, Mapping) and _is_deep(value)]
    lines = [f"{_key(key)} = {_value(value)}" for key, value in content.items() if key not in deep]
    for key in deep:
        inner = f"{name}.{_key(key)}"
        lines += ["", f"[{inner}]", *_table(content[key], inner)]
    return lines


def _has_tables(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(entry, Mapping) for entry in value)
    return isinstance(value, Mapping)


def _is_deep(content: Mapping[str, Any]) -> bool:
    return any(isinstance(value, Mapping) for value in content.values())


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(inner) for inner in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    raise ValueError(f"{value!r} cannot be written as TOML: give a text, a finite number, true, false, list or table.")


def _key(key: str) -> str:
    plain = key and all(character.isascii() and (character.isalnum() or character in "_-") for character in key)
    return key if plain else _text(key)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
