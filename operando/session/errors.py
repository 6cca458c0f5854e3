"""Which errors are mistakes of a person: told as a sentence, exit code 2, nothing started."""

import errno

from operando.model.geometry import GeometryError
from operando.model.outcome import Outcome
from operando.model.toml_file import FileFormatError
from operando.session.layout import RunDirectoryError


class RequestError(ValueError):
    """What was asked cannot be done; the message says what was found and what to do next."""


PERSONS_MISTAKES = (FileFormatError, GeometryError, RunDirectoryError, RequestError)

EXIT_COMPLETE = 0
EXIT_FAILED = 1
EXIT_MISTAKE = 2
EXIT_STOPPED = 130

EXIT_CODE = {
    Outcome.COMPLETE: EXIT_COMPLETE,
    Outcome.PARTIAL: EXIT_FAILED,
    Outcome.MISSED: EXIT_FAILED,
    Outcome.FAILED: EXIT_FAILED,
    Outcome.ABORTED: EXIT_STOPPED,
}

_WHAT_THEN = {
    errno.ENOSPC: "Make room on that disk, then give the same command again.",
    errno.EDQUOT: "Your quota is used up: make room, then give the same command again.",
    errno.EROFS: "This file system can only be read: name a folder elsewhere.",
    errno.EACCES: "Ask for the right to do so, or do it elsewhere.",
    errno.EPERM: "Ask for the right to do so, or do it elsewhere.",
    errno.EIO: "The disk or its connection fails: copy what can still be read, and name a folder elsewhere.",
}


def sentence_of_disk(error: OSError) -> str:
    """Return what a person does who is told this error; empty if it is none that a disk has."""
    what_then = _WHAT_THEN.get(error.errno or 0, "")
    return what_then and f"{error}. {what_then}"
