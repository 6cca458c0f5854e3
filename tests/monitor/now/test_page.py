import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PySide6 import QtGui, QtWidgets

from operando.model import frames
from operando.model.cell_log import CellLogWriter
from operando.model.clock import SystemClock
from operando.model.frames import FrameKind
from operando.model.process_files import write_pid_file
from operando.model.run_directory import RunDirectory
from operando.monitor.now.figure_card import FigureCard
from operando.monitor.now.page import NowPage
from operando.monitor.theme import COLOURS, Theme
from tests.monitor.conftest import OpenMonitor
from tests.support.run_directories import PERIOD_S, FakedRun

OpenOn = Callable[[RunDirectory], OpenMonitor]
EXPERIMENTS = Path(__file__).parents[3] / "experiments"
INK = COLOURS[Theme.DARK]
VOLTAGE, CURRENT, CAPACITY, PRESSURE, TEMPERATURE, RING = range(6)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[FakedRun]:
    """A run of experiment A whose newest sample is of now."""
    faked = FakedRun(tmp_path / "live")
    faked.wall_s = SystemClock().now()
    shutil.copy(EXPERIMENTS / "cus_26mpa.toml", faked.run.experiment)
    yield faked
    faked.close()


def sampled(
    faked: FakedRun, *, quality: str = "OK", load_cell: tuple[float | None, ...] = (5000.0, 600.0, 21.2), **cell: float
) -> None:
    """Append one sample of each instrument, of which ``cell`` says what differs from a quiet cell."""
    faked.num_samples += 1
    known = {"voltage_v": 2.0, "current_a": 0.0, "charge_mah": 0.0, "temperature_c": 25.0, **cell}
    when: dict[str, Any] = {"time_s": faked.time_s, "wall_s": faked.wall_s, "period_s": PERIOD_S}
    values = (0.0, known["voltage_v"], known["current_a"], known["charge_mah"], 0.0, 1.0, 0.0)
    faked.log.sample("potentiostat", values=values, quality="OK", **when)
    faked.log.sample("load_cell", values=load_cell, quality=quality, **when)
    faked.log.sample("temperature", values=(known["temperature_c"],), quality="OK", **when)
    faked.log.commit()


def step(faked: FakedRun, event: str, name: str, entry: str = "step", **more: object) -> None:
    faked.schedule.append({"time": faked.time_s, "event": event, "entry": entry, "name": name, **more})


def page_of(monitor: OpenMonitor) -> NowPage:
    page = monitor.window.page
    assert isinstance(page, NowPage)
    return page


def shown(monitor: OpenMonitor, wanted: Callable[[NowPage], bool]) -> NowPage:
    monitor.until(lambda _: wanted(page_of(monitor)))
    return page_of(monitor)


def labels(widget: QtWidgets.QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QtWidgets.QLabel) if not label.isHidden())


def is_inverted(card: FigureCard) -> bool:
    return f"background: {INK.alarm}" in card.styleSheet()


def test_values_stand_beside_the_force_and_the_distance_to_their_limits(open_monitor: OpenOn, live: FakedRun) -> None:
    sampled(live, voltage_v=1.6)
    page = shown(open_monitor(live.run), lambda page: "1.6000" in labels(page.figures.cards[VOLTAGE]))
    assert "0.95 V above 0.65 V" in labels(page.figures.cards[VOLTAGE])
    assert "600.0 N" in labels(page.figures.cards[PRESSURE])
    assert "13.8 MPa below 35 MPa" in labels(page.figures.cards[PRESSURE])
    assert not any(is_inverted(card) for card in page.figures.cards)


@pytest.mark.parametrize(
    ("quality", "word"),
    [
        ("OVERRANGE", "OVER RANGE"),
        ("STALE", "STALE"),
        ("DISCONNECTED", "DISCONNECTED"),
        ("NAN", "NOT A NUMBER"),
        ("BADCS", "BAD CHECKSUM"),
    ],
)
def test_a_reading_in_doubt_is_inverted_and_says_why(
    open_monitor: OpenOn, live: FakedRun, quality: str, word: str
) -> None:
    sampled(live, quality=quality)
    page = shown(open_monitor(live.run), lambda page: is_inverted(page.figures.cards[PRESSURE]))
    assert word in labels(page.figures.cards[PRESSURE])
    assert not is_inverted(page.figures.cards[VOLTAGE])


def test_counts_without_a_force_are_uncalibrated(open_monitor: OpenOn, live: FakedRun) -> None:
    sampled(live, load_cell=(5000.0, None, None))
    page = shown(open_monitor(live.run), lambda page: is_inverted(page.figures.cards[PRESSURE]))
    assert "UNCALIBRATED" in labels(page.figures.cards[PRESSURE])


def test_silence_inverts_all_that_is_sampled(open_monitor: OpenOn, live: FakedRun) -> None:
    live.wall_s -= 3600.0
    sampled(live)
    page = shown(open_monitor(live.run), lambda page: is_inverted(page.figures.cards[VOLTAGE]))
    assert [is_inverted(card) for card in page.figures.cards] == [True] * 5 + [False]
    assert "SILENT" in labels(page.figures.cards[VOLTAGE])
    assert "60 min ago" in labels(page.figures.cards[VOLTAGE])


def test_near_and_beyond_a_limit_are_told_in_words(open_monitor: OpenOn, live: FakedRun) -> None:
    sampled(live, voltage_v=0.7, temperature_c=46.0)
    page = shown(open_monitor(live.run), lambda page: "0.7000" in labels(page.figures.cards[VOLTAGE]))
    assert "NEAR LIMIT" in labels(page.figures.cards[VOLTAGE])
    assert "BEYOND LIMIT" in labels(page.figures.cards[TEMPERATURE])
    assert "1 °C above 45 °C" in labels(page.figures.cards[TEMPERATURE])


def test_without_a_readable_experiment_the_limits_are_unknown_and_the_rest_is_shown(
    open_monitor: OpenOn, live: FakedRun
) -> None:
    live.run.experiment.write_text("[limits]\nmin_voltage = 5\n")
    sampled(live)
    page = shown(open_monitor(live.run), lambda page: "2.0000" in labels(page.figures.cards[VOLTAGE]))
    assert all(
        "limits unknown" in labels(page.figures.cards[card]) for card in (VOLTAGE, CURRENT, PRESSURE, TEMPERATURE)
    )
    assert "mAh" in labels(page.figures.cards[CAPACITY])
    assert "unknown" in labels(page.next_tomogram)


def test_capacity_is_counted_per_gram_from_the_beginning_of_the_step(open_monitor: OpenOn, live: FakedRun) -> None:
    sampled(live, charge_mah=-0.1)
    step(live, "intent", "discharge")
    sampled(live, charge_mah=-0.1)
    sampled(live, charge_mah=-0.1 - 1.152e-3 * 280.5)
    page = shown(open_monitor(live.run), lambda page: "mAh/g" in labels(page.figures.cards[CAPACITY]))
    assert "280.5" in labels(page.figures.cards[CAPACITY])
    assert "50 % of 561 mAh/g" in labels(page.figures.cards[CAPACITY])


def test_ring_current_is_a_dash_until_a_document_tells_it_and_never_live(open_monitor: OpenOn, live: FakedRun) -> None:
    sampled(live)
    monitor = open_monitor(live.run)
    page = shown(monitor, lambda page: "2.0000" in labels(page.figures.cards[VOLTAGE]))
    assert "–" in labels(page.figures.cards[RING])
    live.document("start", uid="t", kind="tomogram", tomogram="OCV", attempt=1, num_projections=4)
    live.document("descriptor", uid="d", run_start="t", name="cell")
    live.document(
        "event",
        uid="e",
        descriptor="d",
        data={"ring_current_readback": 199.73},
        timestamps={"ring_current_readback": live.time_s - 7200.0},
    )
    shown(monitor, lambda page: "199.7" in labels(page.figures.cards[RING]))
    assert "2 h 00 min ago" in labels(page.figures.cards[RING])
    assert "at OCV" in labels(page.figures.cards[RING])


def test_the_next_tomogram_comes_when_the_voltage_reaches_it(open_monitor: OpenOn, live: FakedRun) -> None:
    sampled(live, voltage_v=2.3)
    step(live, "intent", "rest")
    step(live, "outcome", "rest", outcome="complete")
    step(live, "intent", "discharge")
    for index in range(121):  # 0.12 V in an hour
        sampled(live, voltage_v=1.9 - 1e-3 * index, current_a=-11.52e-6)
    monitor = open_monitor(live.run)
    page = shown(monitor, lambda page: "at this slope" in labels(page.next_tomogram))
    assert "D1.7V at 1.7 V\nabout 40 min at this slope" in labels(page.next_tomogram)
    assert "then D1.2V at 1.2 V" in labels(page.next_tomogram)
    assert "Step 2 of 101\ndischarge\nconstant current −11.52 µA to 0.7 V" in labels(page.step)
    sampled(live, voltage_v=1.9, current_a=0.0)  # somebody has opened the circuit
    shown(monitor, lambda page: "no estimate" in labels(page.next_tomogram))


def test_frames_that_came_and_were_lost_are_counted_while_a_tomogram_is_taken(
    open_monitor: OpenOn, live: FakedRun
) -> None:
    sampled(live)
    live.document(
        "start", uid="t", kind="tomogram", tomogram="D1.2V", attempt=3, num_darks=2, num_flats=3, num_projections=40
    )
    for kind, frame_ids in ((FrameKind.DARK, [1, 2]), (FrameKind.FLAT, [3, 4, 5]), (FrameKind.PROJECTION, [6, 7])):
        write_frames(live.run, kind, frame_ids)
    monitor = open_monitor(live.run)
    page = shown(monitor, lambda page: "Tomogram D1.2V · attempt 3" in labels(page.tomogram))
    assert "projections 2 of 40" in labels(page.tomogram)
    assert "darks 2 of 2 · flats 3 of 3" in labels(page.tomogram)
    assert "none lost" in labels(page.tomogram)
    write_frames(live.run, FrameKind.PROJECTION, [6, 7, 10])
    shown(monitor, lambda page: "2 FRAMES LOST" in labels(page.tomogram))
    live.document("descriptor", uid="d", run_start="t", name="outcome")
    counts = {"expected_projection": 40, "acquired_projection": 40, "written_projection": 37}
    live.document("event", uid="e", descriptor="d", data=counts)
    live.document("stop", uid="s", run_start="t", exit_status="fail", reason="3 frames were lost")
    shown(monitor, lambda page: "D1.2V: fail" in labels(page.tomogram))
    assert "projections 37 of 40, 3 LOST" in labels(page.tomogram)


def write_frames(run: RunDirectory, kind: FrameKind, frame_ids: list[int]) -> None:
    path = run.frames_file(3, kind)
    new = path.with_suffix(".new")
    with h5py.File(new, "w", libver="latest") as file:
        file.create_dataset(frames.IMAGES, data=np.zeros((len(frame_ids), 2, 3), np.uint16))
        file.create_dataset(frames.FRAME_IDS, data=np.array(frame_ids, np.int64))
    new.replace(path)


def test_a_trip_is_large_with_its_cause_and_stands_among_the_alarms(open_monitor: OpenOn, live: FakedRun) -> None:
    sampled(live)
    live.event("state", "OPEN_CIRCUIT to RUNNING")
    monitor = open_monitor(live.run)
    page = shown(monitor, lambda page: "● RUNNING" in labels(page.guard))
    assert page.alarms.item(0).text() == "no alarm since the run began"
    live.event("trip", "The voltage is 0.64 V.")
    shown(monitor, lambda page: "▲ TRIPPED" in labels(page.guard))
    assert "The voltage is 0.64 V." in labels(page.guard)
    assert page.alarms.count() == 1
    assert re.match(
        r"▲ ON NOW · TRIP · 0\.0 min · \w+ \d\d:\d\d:\d\d\nThe voltage is 0.64 V.", page.alarms.item(0).text()
    )
    assert page.alarms.item(0).background().color() == QtGui.QColor(INK.alarm)
    live.event("trip_cleared", "M. Muster: pressed again")
    shown(monitor, lambda page: "ON NOW" not in page.alarms.item(0).text())
    assert "Cleared by M. Muster: pressed again" in page.alarms.item(0).text()


def test_in_a_run_that_has_ended_nothing_goes_on(open_monitor: OpenOn, finished: RunDirectory) -> None:
    page = shown(open_monitor(finished), lambda page: "run ended: success" in labels(page.step))
    alarm = page.alarms.item(0).text()
    assert "ON NOW" not in alarm
    assert "Not over when the run ended." in alarm
    assert "Guard · last heard of" in labels(page.guard)
    assert "none, the run has ended" in labels(page.next_tomogram)
    assert not any(is_inverted(card) for card in page.figures.cards)


def test_a_guard_that_ended_before_the_run_is_told(open_monitor: OpenOn, live: FakedRun) -> None:
    sampled(live)
    live.event("guard", "Ended. A signal asked for it.")
    shown(open_monitor(live.run), lambda page: "▲ ENDED\nnobody guards the cell" in labels(page.guard))


def test_a_dead_guard_takes_the_place_of_the_state_that_it_wrote_last(open_monitor: OpenOn, live: FakedRun) -> None:
    sampled(live)
    live.event("state", "OPEN_CIRCUIT to RUNNING")
    write_pid_file(live.run.processes, "guard")
    monitor = open_monitor(live.run)
    shown(monitor, lambda page: "● RUNNING" in labels(page.guard))
    pid_file = live.run.processes / "guard.pid"
    pid_file.write_text(json.dumps({**json.loads(pid_file.read_text()), "start_ticks": 1}))
    page = shown(monitor, lambda page: "✕ DEAD" in labels(page.guard))
    assert "NOBODY GUARDS THE CELL\nlast state: RUNNING" in labels(page.guard)


def test_room_on_the_disk_is_told_while_processes_live(open_monitor: OpenOn, live: FakedRun) -> None:
    sampled(live)
    monitor = open_monitor(live.run)
    page = shown(monitor, lambda page: "2.0000" in labels(page.figures.cards[VOLTAGE]))
    assert "disk" not in labels(page.run_card)
    write_pid_file(live.run.processes, "acquisition")
    shown(monitor, lambda page: "GB free" in labels(page.run_card))


@pytest.mark.parametrize("size_px", [(1366, 768), (3840, 2160)])
def test_digits_are_large_and_nothing_is_cut(open_monitor: OpenOn, live: FakedRun, size_px: tuple[int, int]) -> None:
    step(live, "intent", "discharge")
    sampled(live, voltage_v=1.6, current_a=-80.64e-6, charge_mah=-0.1)
    sampled(
        live, voltage_v=3.05, current_a=-80.64e-6, charge_mah=-0.7, quality="OVERRANGE", load_cell=(1.0, 1001.4, 35.42)
    )
    live.event("trip", "The stack pressure is 35.42 MPa, above max_stack_pressure 35 MPa, for 1.5 s.")
    asked = {"num_darks": 20, "num_flats": 40, "num_projections": 2256}
    live.document("start", uid="t", kind="tomogram", tomogram="D0.7V_cycle50", attempt=12, **asked)
    monitor = open_monitor(live.run)
    monitor.window.resize(*size_px)
    monitor.window.show()
    page = shown(
        monitor, lambda page: "TRIPPED" in labels(page.guard) and page.look.scale == round(size_px[1] / 768 * 8) / 8
    )
    for card in page.figures.cards[:PRESSURE]:
        (digits_px, *_) = re.findall(r"font-size: (\d+)px", labels(card))
        assert int(digits_px) >= 50 * page.look.scale
    assert_nothing_is_cut(monitor)


def test_after_the_end_the_ring_current_tells_how_long_before_and_is_not_cut(
    open_monitor: OpenOn, live: FakedRun
) -> None:
    sampled(live, voltage_v=2.0)
    live.document("start", uid="t", kind="tomogram", tomogram="D0.7V_cycle50", attempt=1, num_projections=4)
    live.document("descriptor", uid="d", run_start="t", name="cell")
    data, stamps = {"ring_current_readback": 199.73}, {"ring_current_readback": live.time_s - 59 * 60 - 59.0}
    live.document("event", uid="e", descriptor="d", data=data, timestamps=stamps)
    live.document("stop", uid="outer stop", run_start="outer", exit_status="success", reason="")
    monitor = open_monitor(live.run)
    monitor.window.resize(1366, 768)
    monitor.window.show()
    page = shown(monitor, lambda page: "199.7" in labels(page.figures.cards[RING]))
    assert "59 min 59 s before the end" in labels(page.figures.cards[RING])
    assert_nothing_is_cut(monitor)


def assert_nothing_is_cut(monitor: OpenMonitor) -> None:
    cut: list[str] = []

    def has_room(page: NowPage) -> bool:
        cut[:] = [label.text() for label in page.findChildren(QtWidgets.QLabel) if is_cut(label)]
        return not cut

    try:
        shown(monitor, has_room)  # an age that has become longer finds its place at the next turn of the loop
    except AssertionError:
        pytest.fail(f"cut off: {cut}")


def is_cut(label: QtWidgets.QLabel) -> bool:
    if label.isHidden() or not label.text() or label.wordWrap():
        return False
    needed = QtGui.QFontMetrics(label.font()).size(0, label.text())
    is_plain = "<span" not in label.text()
    too_small = is_plain and (needed.width() > label.width() or needed.height() > label.height() + 1)
    return too_small or label.width() < label.minimumSizeHint().width()


def test_a_log_that_was_replaced_takes_its_alarms_with_it(open_monitor: OpenOn, live: FakedRun) -> None:
    sampled(live)
    live.event("limit", "The temperature is 46 degC.")
    monitor = open_monitor(live.run)
    page = shown(monitor, lambda page: "ON NOW" in page.alarms.item(0).text())
    live.log.close()
    live.run.cell_log.unlink()
    live.log = CellLogWriter(live.run.cell_log)
    sampled(live)
    shown(monitor, lambda page: page.alarms.item(0).text() == "nothing logged yet")
    assert page.alarms.count() == 1


def test_nonsense_in_every_file_leaves_the_figures_standing(open_monitor: OpenOn, live: FakedRun) -> None:
    sampled(live, voltage_v=1.6)
    with live.run.schedule.open("a") as file:
        for time in ("NaN", "1e300", '"noon"', "null", "9" * 400):
            file.write(f'{{"time": {time}, "event": "intent", "entry": "step", "name": "discharge"}}\n')
        file.write('{"event": "request_done", "num_begun": "many", "argument": 5}\n{"event": 5}\n[]\n')
    for time_s, kind in ((1e300, "trip"), (-1e300, "limit"), (float("inf"), "unsafe")):
        live.log.event(kind, "x" * 5000, time_s=time_s, wall_s=time_s)
    live.log.commit()
    asked: dict[str, Any] = {"num_darks": 2, "num_flats": -1, "num_projections": 10**30}
    live.document("start", uid="t", kind="tomogram", tomogram="x" * 300, attempt=1, **asked)
    live.document("descriptor", uid="d", run_start="t", name="cell")
    live.document("event", uid="e", descriptor="d", data={"ring_current": "much"}, timestamps={"ring_current": 1e300})
    live.document("event", uid="f", descriptor="d", data={"ring_current": 5.0}, timestamps={"ring_current": 1e300})
    monitor = open_monitor(live.run)
    page = shown(monitor, lambda page: "1.6000" in labels(page.figures.cards[VOLTAGE]))
    assert "TRIPPED" in labels(page.guard) or "UNSAFE" in labels(page.guard)
    assert monitor.window.minimumSizeHint().height() <= 768
