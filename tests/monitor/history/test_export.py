from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from PySide6 import QtCore, QtWidgets

from operando.monitor.history.export import write_text


def test_while_a_long_text_is_written_the_window_goes_on(qapp: QtWidgets.QApplication, tmp_path: Path) -> None:
    goes_on = Event()
    told: list[int] = []

    def parts() -> Iterator[str]:
        yield "heading\n"
        assert goes_on.wait(10.0)
        yield "row\n"

    QtCore.QTimer.singleShot(200, goes_on.set)  # only a loop that goes on comes to it
    path = tmp_path / "samples.csv"
    write_text(parts(), path, told.append)
    assert path.read_text() == "heading\nrow\n"
    assert told
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_an_error_that_leaves_the_old_file_and_nothing_else(
    qapp: QtWidgets.QApplication, tmp_path: Path
) -> None:
    path = tmp_path / "samples.csv"
    path.write_text("old")

    def parts() -> Iterator[str]:
        yield "new"
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_text(parts(), path, lambda _: None)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_application_that_ends_leaves_no_half_of_a_file(qapp: QtWidgets.QApplication, tmp_path: Path) -> None:
    def parts() -> Iterator[str]:
        while True:
            yield "row\n"

    errors: list[OSError] = []

    def write() -> None:
        try:
            write_text(parts(), tmp_path / "samples.csv", lambda _: None)
        except OSError as error:
            errors.append(error)

    QtCore.QTimer.singleShot(0, write)
    QtCore.QTimer.singleShot(300, qapp.exit)
    qapp.exec()
    assert "was not finished" in str(errors)
    assert list(tmp_path.iterdir()) == []
