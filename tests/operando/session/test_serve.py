"""When an analysis that follows a run takes it for abandoned."""

import threading
from pathlib import Path

import pytest

from operando.model.run_directory import RunDirectory
from operando.session import serve
from tests.support.fast_clock import FastClock


class Leaping(FastClock):
    """A host's clock that is set forward by an hour each time it is looked at, while a second passes."""

    def now(self) -> float:
        self.set_by(3600.0)
        return super().now()

    def steady(self) -> float:
        self._now_s += 1.0
        return self._now_s - self._stepped_s


def test_a_clock_that_is_set_forward_does_not_make_a_run_abandoned_any_sooner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, run, stop = Leaping(0.0), RunDirectory(tmp_path), threading.Event()
    run.processes.mkdir()
    (run.processes / "acquisition.pid").write_text('{"pid": 999999999, "create_time": 5.0}', encoding="utf-8")
    monkeypatch.setattr(serve, "SystemClock", lambda: clock)
    monkeypatch.setattr(serve, "LOOK_ROUND_S", 0.0)
    serve._stop_if_abandoned(run, stop, 30.0)
    assert stop.is_set()
    assert clock.steady() >= 30.0
