import threading
from pathlib import Path

from operando.monitor.reading.background import Background


def test_work_that_never_ends_is_told_and_does_not_keep_anybody_from_closing() -> None:
    gate = threading.Event()
    background = Background("stuck")
    background.begin(gate.wait, 100.0, 0.0)
    assert background.finished() is None
    assert background.busy_s(107.0) == 7.0
    assert not background.close(longest_s=0.01)
    gate.set()
    assert background.close()


def test_an_error_is_handed_on_and_the_next_work_is_done(tmp_path: Path) -> None:
    background = Background("reader")
    background.begin((tmp_path / "missing").read_text, 0.0, 0.0)
    while (failed := background.finished()) is None:
        pass
    assert isinstance(failed.exception(), FileNotFoundError)
    background.begin(lambda: 5, 1.0, 0.0)
    while (done := background.finished()) is None:
        pass
    assert done.result() == 5
    assert background.busy_s(9.0) == 0.0
    assert background.close()
