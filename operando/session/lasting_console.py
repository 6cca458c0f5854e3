"""A console for what must not end because nobody reads it any more."""

import os
import sys

from rich.console import Console


class LastingConsole(Console):
    """Falls silent when its reader is gone, as behind ``| head``: an exit inside a plan would leave it hanging."""

    def on_broken_pipe(self) -> None:
        """Say nothing from here on."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
