"""What every page of the monitor is to its window."""

from pathlib import Path
from typing import Any, ClassVar

from PySide6 import QtWidgets

from operando.model.run_directory import RunDirectory
from operando.monitor.reading.run_view import RunView
from operando.monitor.theme import Look


class Page(QtWidgets.QWidget):
    """One page. What is read for it alone is read in a thread of its own, and only while the page is seen.

    Parameters
    ----------
    run
        The run that is watched.
    look
        Colours and sizes. Another theme makes another page; another size is told by :meth:`set_look`.
    """

    title: ClassVar[str]
    period_s: ClassVar[float] = 0.25  # between two calls of `read` while the page is seen
    keys: ClassVar[tuple[tuple[str, str], ...]] = ()  # of this page alone, and what they do
    export_suffixes: ClassVar[tuple[str, ...]] = (".png",)

    def __init__(self, run: RunDirectory, look: Look) -> None:
        super().__init__()
        self.run = run
        self.look = look

    def set_look(self, look: Look) -> None:
        """Take another size; what the style sheet says is said already."""
        self.look = look

    def read(self, view: RunView) -> Any:
        """Read what only this page shows, not in the window's thread; errors are shown in the window's last line."""
        del view

    def show_run(self, view: RunView, wall_s: float) -> None:
        """Show a newer view of the run; ``wall_s`` is the host's present time. Called only while the page is seen."""
        raise NotImplementedError

    def show_read(self, read: Any) -> None:
        """Show what :meth:`read` returned last."""

    @property
    def is_settled(self) -> bool:
        """Whether what was read last is all there is to read; a picture of the page waits for that."""
        return True

    def chosen(self) -> Any:
        """Return what a person has chosen here, for the page of the same kind that takes its place."""

    def choose_again(self, chosen: Any) -> None:
        """Take over what was chosen on the page in whose place this one is; a view of the run was shown before."""

    def export(self, path: Path) -> None:
        """Write what is seen into a file of one of ``export_suffixes``.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        if not self.grab().save(str(path)):
            raise OSError(f"{path} could not be written")
