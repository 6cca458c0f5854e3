"""What is said to lack measurements is what the analysis then measures."""

import threading
from pathlib import Path

from live_analysis.analyse import analyse
from live_analysis.unmeasured import unmeasured
from operando.model.frames import FrameKind
from tests.support.phantom_run import PhantomRun


def measure(faked: PhantomRun) -> None:
    analyse(faked.run.path, follow=False, again=False, stop=threading.Event(), report=lambda _: None)


def test_a_tomogram_is_unmeasured_until_it_was_measured_with_its_run_closed(tmp_path: Path) -> None:
    faked = PhantomRun(tmp_path / "run")
    assert unmeasured(faked.run) == []
    tomogram = faked.begin("OCV", 1)
    tomogram.write_all()
    measure(faked)
    assert unmeasured(faked.run) == ["OCV"]
    tomogram.end(exit_status="abort", reason="closed by recovery")
    measure(faked)
    assert unmeasured(faked.run) == []


def test_what_could_not_be_analysed_is_not_said_to_be_unmeasured(tmp_path: Path) -> None:
    faked = PhantomRun(tmp_path / "run")
    faked.complete("OCV", 1)
    faked.run.frames_file(1, FrameKind.FLAT).unlink()
    assert unmeasured(faked.run) == ["OCV"]
    measure(faked)
    assert unmeasured(faked.run) == []
