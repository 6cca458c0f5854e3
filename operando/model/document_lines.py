"""Reading a journal of documents that may be damaged: only lines that are whole documents of the four kinds."""

from pathlib import Path
from typing import Any

from operando.model.json_lines import read_json_lines

_NEEDED = {
    "start": {"uid"},
    "descriptor": {"uid", "run_start", "name"},
    "event": {"uid", "descriptor", "data"},
    "stop": {"run_start", "exit_status"},
}


def read_documents(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return the documents of a journal in order, each with its kind; what is no whole document is left out.

    Kinds that no reader of a journal's runs needs, as datum pages, come as they are.
    """
    return [
        (value[0], value[1])
        for value in read_json_lines(path)
        if isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], dict)
        and _NEEDED.get(value[0], set()) <= value[1].keys()
    ]
