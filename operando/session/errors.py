"""Which errors are mistakes of a person: told as a sentence, exit code 2, nothing started."""

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
