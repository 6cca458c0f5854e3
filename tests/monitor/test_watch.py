import shutil
from concurrent.futures import Future
from pathlib import Path

import pytest
from rich.console import Console

from operando.model.run_directory import RunDirectory
from operando.monitor.watch import watch
from tests.support.run_directories import FakedRun

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


class StoppedClock:
    """A host's clock that stands at one time; the second wait is Ctrl-C."""

    def __init__(self, time_s: float) -> None:
        self.time_s = time_s
        self.num_waits = 0

    def now(self) -> float:
        return self.time_s

    def steady(self) -> float:
        return self.time_s

    def sleep_until(self, deadline_s: float) -> float:
        self.num_waits += 1
        if self.num_waits > 1:
            raise KeyboardInterrupt
        return self.time_s

    def timer(self, deadline_s: float) -> Future[float]:
        raise AssertionError("the watcher sets no timers")

    def close(self) -> None:
        pass


def printed(run: RunDirectory, time_s: float, *, once: bool = True, width: int = 120) -> str:
    console = Console(width=width, record=True, force_terminal=False)
    watch(run, console, once=once, host_clock=StoppedClock(time_s))
    return console.export_text()


def test_watch_once_prints_values_with_units_and_ages(growing: FakedRun) -> None:
    growing.step("rest", "RUNNING")
    growing.sample(2)
    text = printed(growing.run, growing.wall_s + 45.0)
    assert "REHEARSAL" in text
    for quantity, unit in (("voltage", "V"), ("current", "µA"), ("stack pressure", "MPa"), ("temperature", "°C")):
        line = next(line for line in text.splitlines() if quantity in line)
        assert f" {unit} " in line
        assert "45 s ago" in line
    assert "guard: RUNNING · step: rest" in text
    assert "no tomogram yet" in text


def test_watch_shows_progress_measurements_and_alarms(growing: FakedRun) -> None:
    growing.sample(2)
    growing.begin_tomogram("D1.2V", 3, num_projections=40)
    growing.expose(7)
    growing.measure("OCV", "high_attenuation_volume", 1.7e5, "um3", 4e3)
    growing.event("trip", "The voltage is 0.64 V.")
    text = printed(growing.run, growing.wall_s)
    assert "tomogram D1.2V: projection 7 of 40" in text
    assert "(1.700 ± 0.040)e5" in text
    assert "um3" in text
    assert "guard: TRIPPED" in text
    assert "trip: The voltage is 0.64 V." in text


def test_watch_of_a_folder_with_nothing_in_it_says_so(tmp_path: Path) -> None:
    text = printed(RunDirectory(tmp_path), 0.0)
    assert "no sample yet" in text
    assert "nothing logged yet" in text
    assert "not known yet whether a rehearsal" in text


def test_watch_ends_on_ctrl_c(finished: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    assert "5 tomograms; last C2.5V: success" in printed(finished, 0.0, once=False) + capsys.readouterr().out


def test_watch_tells_limits_the_next_tomogram_and_what_died(growing: FakedRun) -> None:
    shutil.copy(EXPERIMENTS / "cus_26mpa.toml", growing.run.experiment)
    growing.step("rest", "RUNNING")
    growing.sample(20)
    (growing.run.processes / "analysis.pid").write_text('{"pid": 1, "create_time": 1.0}')
    text = printed(growing.run, growing.wall_s)
    assert "next: OCV at the end of rest, in 23 h 50 min" in text
    assert "0.931 V below 3.1 V" in text
    assert "The analysis has DIED" in text
    assert "GB free" in text


def test_watch_tells_lost_frames(growing: FakedRun) -> None:
    growing.sample(2)
    growing.document("start", uid="t", kind="tomogram", tomogram="OCV", attempt=1, num_projections=40)
    growing.document("descriptor", uid="d", run_start="t", name="outcome")
    counts = {"expected_projection": 40, "acquired_projection": 40, "written_projection": 37}
    growing.document("event", uid="e", descriptor="d", data=counts)
    growing.document("stop", uid="s", run_start="t", exit_status="fail", reason="")
    assert "last OCV: fail · 3 FRAMES LOST" in printed(growing.run, growing.wall_s)


def test_numbers_are_whole_and_all_fits_into_a_terminal_of_24_lines(growing: FakedRun) -> None:
    shutil.copy(EXPERIMENTS / "cus_26mpa.toml", growing.run.experiment)
    growing.step("rest", "RUNNING")
    growing.sample(20)
    for attempt in range(1, 9):
        for name in ("voltage", "capacity", "stack_pressure", "high_attenuation_volume"):
            growing.measure(f"D{attempt}.0V", name, 1.7e5, "um3", 4e3)
    for _ in range(5):
        growing.event("limit", "The temperature is 46 degC.")
    growing.event("trip", "The voltage is 0.64 V.")
    (growing.run.processes / "guard.pid").write_text('{"pid": 1, "create_time": 1.0}')
    text = printed(growing.run, growing.wall_s + 3600.0, width=80)
    assert len(text.splitlines()) <= 24
    assert all(number in text for number in ("2.1687", "0.00", "0.0", "25.84", "25.0"))
