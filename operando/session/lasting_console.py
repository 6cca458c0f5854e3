"""A console for what must not end because nobody reads it any more."""

import os
import sys
from typing import IO, Any, cast

from rich.console import Console


class LastingConsole(Console):
    """Falls silent when its reader is gone, as behind ``| head`` or in a closed window.

    An error inside a plan would end the experiment, and an exit there would leave it hanging. A lost terminal tells by
    errors before its signal is heard.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(file=cast(IO[str], _LastingStream(sys.stdout)), **options)


class _LastingStream:
    """Writes to a stream until that fails, then nowhere."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Take a text; return its length."""
        try:
            return self._stream.write(text)
        except OSError:
            self._fall_silent()
            return len(text)

    def flush(self) -> None:
        """Send what was written."""
        try:
            self._stream.flush()
        except OSError:
            self._fall_silent()

    def _fall_silent(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        """Answer everything else as the stream does."""
        return getattr(self._stream, name)
