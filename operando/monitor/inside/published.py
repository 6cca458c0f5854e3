"""Numbers of the publication that an experiment is compared with, as its file names them."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from operando.model.experiment import Published
from operando.model.toml_file import FileFormatError, toml_content
from operando.monitor.reading.shown_text import shown_text

LONGEST_REFERENCE = 300  # characters


@dataclass(frozen=True)
class PublishedNumbers:
    """Numbers that this experiment measures itself, and where they were published."""

    numbers: tuple[Published, ...] = ()
    reference: str = ""

    def of(self, name: str) -> tuple[Published, ...]:
        """Return those of one quantity, in the order of the file."""
        return tuple(number for number in self.numbers if number.name == name)


NOTHING_PUBLISHED = PublishedNumbers()


class PublishedReader:
    """Reads the experiment file when it is another; what is damaged in it is left out."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._numbers = NOTHING_PUBLISHED

    def newest(self) -> PublishedNumbers:
        """Return the numbers; none if there is no file that can be read."""
        with contextlib.suppress(OSError, FileFormatError):
            status = self._path.stat()
            if (status.st_ino, status.st_mtime_ns) != self._seen:
                self._seen = status.st_ino, status.st_mtime_ns
                self._numbers = _numbers(toml_content(self._path))
        return self._numbers


def _numbers(content: dict[str, object]) -> PublishedNumbers:
    about, entries = content.get("experiment"), content.get("published")
    reference = shown_text(about.get("reference", ""), LONGEST_REFERENCE) if isinstance(about, dict) else ""
    numbers = []
    for entry in entries if isinstance(entries, list) else ():
        with contextlib.suppress(ValidationError):
            number = Published.model_validate(entry)
            if number.elsewhere is None:
                numbers.append(number)
    return PublishedNumbers(tuple(numbers), reference)
