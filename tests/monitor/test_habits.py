from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6 import QtCore, QtTest, QtWidgets
from pytestqt.qtbot import QtBot

from operando.model.clock import SystemClock
from operando.model.run_directory import RunDirectory
from operando.monitor.habits import Habits, LastingHabits
from operando.monitor.theme import COLOURS, Look, Theme, scale_of
from operando.monitor.window import MonitorWindow
from tests.monitor.conftest import OpenMonitor
from tests.support.run_directories import FakedRun

OpenOn = Callable[[RunDirectory], OpenMonitor]
LEAST_CONTRAST = 4.5  # of text against its ground: WCAG 2.1, level AA


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[None]:
    where = QtCore.QSettings.Format.NativeFormat, QtCore.QSettings.Scope.UserScope
    QtCore.QSettings.setPath(*where, str(tmp_path / "settings"))
    yield
    QtCore.QSettings.setPath(*where, "")


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def shares(window: MonitorWindow) -> list[float]:
    """Return which part of its place the first half of each splitter has."""
    return [
        each.sizes()[0] / sum(each.sizes())
        for each in (window.centralWidget() or window).findChildren(QtWidgets.QSplitter)
    ]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", Theme)
def test_text_stands_out_from_its_ground_in_both_themes(theme: Theme) -> None:
    c = COLOURS[theme]
    for ground in (c.background, c.panel):
        for ink in (c.text, c.dim, c.good, c.warning, c.alarm):
            assert contrast(ink, ground) >= LEAST_CONTRAST, (ink, ground)
        for line in c.series:
            assert contrast(line, ground) >= 3.0, (line, ground)
    assert contrast(c.on_rehearsal, c.rehearsal) >= LEAST_CONTRAST


def test_everything_grows_with_the_window_and_never_below_its_least_size() -> None:
    assert scale_of(1366, 768) == 1.0
    assert scale_of(800, 600) == 1.0
    assert scale_of(3840, 2160) == pytest.approx(2.75)
    assert Look(scale=2.75).px(40) == 110


def test_keys_turn_the_pages_and_change_the_theme(open_monitor: OpenOn, growing: FakedRun, qtbot: QtBot) -> None:
    growing.sample(3)
    monitor = open_monitor(growing.run)
    with qtbot.waitActive(monitor.window):
        monitor.window.show()
        monitor.window.activateWindow()
    monitor.until(lambda view: view.start_s > 0)
    titles = []
    for key in (QtCore.Qt.Key.Key_2, QtCore.Qt.Key.Key_3, QtCore.Qt.Key.Key_4, QtCore.Qt.Key.Key_1):
        QtTest.QTest.keyClick(monitor.window, key)
        titles.append(monitor.window.page.title)
    assert titles == ["History", "Inside the cell", "Health", "Now"]
    assert COLOURS[Theme.DARK].background in monitor.window.styleSheet()
    QtTest.QTest.keyClick(monitor.window, QtCore.Qt.Key.Key_T)
    assert COLOURS[Theme.LIGHT].background in monitor.window.styleSheet()
    assert " V<" in monitor.texts  # what was shown is shown again, without waiting for the next reading


def test_a_theme_that_is_seen_again_has_the_pages_that_it_had(open_monitor: OpenOn, growing: FakedRun) -> None:
    monitor = open_monitor(growing.run)
    dark = list(monitor.window.pages)
    monitor.window.toggle_theme()
    light = list(monitor.window.pages)
    assert not set(map(id, dark)) & set(map(id, light))
    monitor.window.toggle_theme()
    assert list(monitor.window.pages) == dark  # made anew each time they would cost ten megabytes a time


def test_the_theme_changes_on_every_page_while_it_is_read(open_monitor: OpenOn, growing: FakedRun) -> None:
    growing.sample(3)
    monitor = open_monitor(growing.run)
    monitor.until(lambda view: view.start_s > 0)
    for page in monitor.window.pages:
        monitor.window.show_page(page.title)
        for _ in range(3):
            monitor.window.refresh()
            monitor.window.toggle_theme()
        assert monitor.window.page.title == page.title
        monitor.until(lambda view: True)


@pytest.mark.usefixtures("settings")
def test_theme_and_page_are_remembered(qapp: QtWidgets.QApplication, growing: FakedRun) -> None:
    first = MonitorWindow(growing.run, SystemClock(), LastingHabits())
    first.toggle_theme()
    first.show_page("Inside")
    first.show()
    before = shares(first)
    for splitter in first.findChildren(QtWidgets.QSplitter):
        splitter.setSizes([2000, 3000])
    moved = shares(first)
    assert moved != pytest.approx(before, abs=0.05)
    first.show_page("Health")
    first.close()
    second = MonitorWindow(growing.run, SystemClock(), LastingHabits())
    assert second.page.title == "Health"
    assert COLOURS[Theme.LIGHT].background in second.styleSheet()
    second.show_page("Inside")
    second.show()
    assert shares(second) == pytest.approx(moved, abs=0.02)
    second.close()
    qapp.processEvents()


@pytest.mark.usefixtures("settings")
def test_damaged_settings_are_as_none() -> None:
    kept = QtCore.QSettings("operando", "monitor")
    kept.setValue("theme", "plaid")
    kept.setValue("page", "Nowhere")
    kept.sync()
    habits = LastingHabits()
    assert habits.theme is Theme.DARK


def test_a_page_that_is_not_there_is_not_turned_to(growing: FakedRun, qapp: QtWidgets.QApplication) -> None:
    window = MonitorWindow(growing.run, SystemClock(), Habits(page="Nowhere"))
    assert window.page.title == "Now"
    window.close()
    qapp.processEvents()


def test_what_is_seen_is_saved_or_a_person_is_told_why_not(
    open_monitor: OpenOn, growing: FakedRun, tmp_path: Path
) -> None:
    monitor = open_monitor(growing.run)
    monitor.until(lambda view: True)
    monitor.window.export(tmp_path / "seen.png")
    assert (tmp_path / "seen.png").read_bytes().startswith(b"\x89PNG")
    monitor.window.export(tmp_path / "missing" / "seen.png")
    assert "Not saved" in monitor.window.statusBar().currentMessage()


@pytest.mark.parametrize("language", [QtCore.QLocale.Language.German, QtCore.QLocale.Language.French])
def test_numbers_have_a_point_whatever_the_country(
    open_monitor: OpenOn, growing: FakedRun, language: QtCore.QLocale.Language
) -> None:
    growing.sample(2, voltage_v=1.25)
    before = QtCore.QLocale()
    QtCore.QLocale.setDefault(QtCore.QLocale(language))
    try:
        monitor = open_monitor(growing.run)
        monitor.until(lambda view: "1.2500" in monitor.texts)
        assert "1,2500" not in monitor.texts
    finally:
        QtCore.QLocale.setDefault(before)


def test_a_picture_of_the_page_is_copied(open_monitor: OpenOn, growing: FakedRun, qtbot: QtBot) -> None:
    monitor = open_monitor(growing.run)
    monitor.until(lambda view: True)
    with qtbot.waitActive(monitor.window):
        monitor.window.show()
        monitor.window.activateWindow()
    QtWidgets.QApplication.clipboard().clear()
    both = QtCore.Qt.KeyboardModifier.ControlModifier | QtCore.Qt.KeyboardModifier.ShiftModifier
    QtTest.QTest.keyClick(monitor.window, QtCore.Qt.Key.Key_C, both)
    assert not QtWidgets.QApplication.clipboard().pixmap().isNull()
