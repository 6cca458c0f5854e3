"""Texts that people write into a file: names that become file names, and lines that are only shown."""

import re
from typing import Annotated

from pydantic import AfterValidator

NAME = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}"  # no separators, no leading dot


def name(text: str) -> str:
    """Return ``text`` if it can be a name of a step, a tomogram or an experiment, and so of a file.

    Raises
    ------
    ValueError
        If it holds a separator, begins with a dot, is empty or too long.
    """
    if not re.fullmatch(NAME, text):
        raise ValueError(
            "is no name, because names become file names: allowed are 1 to 64 letters, digits and . _ + -, "
            "the first of them a letter or digit"
        )
    return text


def line(text: str) -> str:
    """Return ``text`` if it can be shown on one line of a terminal.

    Raises
    ------
    ValueError
        If it holds a character that moves the cursor or sounds the bell.
    """
    if not text.isprintable():
        raise ValueError("holds control characters: allowed is one line of printable text")
    return text


Name = Annotated[str, AfterValidator(name)]
Line = Annotated[str, AfterValidator(line)]
