"""The page "Inside the cell" in the real window, with finished states beside each other."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import rmtree

import numpy as np
import pytest
from PySide6 import QtCore, QtTest, QtWidgets

from operando.model.plane_wish import PlaneWish
from operando.model.preview_slices import PreviewSlices, write_preview
from operando.model.run_directory import RunDirectory
from operando.monitor.inside.choice import Comparison, Relative, Side
from operando.monitor.inside.colour_scale import DifferenceScale
from operando.monitor.inside.control_row import ControlRow
from operando.monitor.inside.image_area import ImageArea
from operando.monitor.inside.page import InsidePage
from operando.monitor.inside.projections_view import ProjectionsView
from operando.monitor.inside.slice_picture import SlicePicture
from tests.monitor.conftest import OpenMonitor
from tests.monitor.inside.states import ROWS, WIDTH, write_displacement, write_state
from tests.support.run_directories import FakedRun

OpenOn = Callable[[RunDirectory], OpenMonitor]


class Inside:
    """The page with two finished states, and what it shows."""

    def __init__(self, monitor: OpenMonitor) -> None:
        self.monitor = monitor
        monitor.window.show_page("Inside")
        (self.area,) = monitor.window.page.findChildren(ImageArea)
        (self.controls,) = monitor.window.page.findChildren(ControlRow)

    @property
    def pictures(self) -> list[SlicePicture]:
        return [view._shown for view in self.area.slices if view._shown is not None]

    @property
    def states(self) -> list[str]:
        return [picture.planes.tomogram for picture in self.pictures]

    @property
    def words(self) -> str:
        return "\n".join(label.text() for label in self.area.findChildren(QtWidgets.QLabel))

    def until(self, wanted: Callable[[], bool]) -> None:
        self.monitor.until(lambda _: wanted())


@pytest.fixture
def inside(open_monitor: OpenOn, growing: FakedRun) -> Inside:
    for attempt, (name, value) in enumerate({"OCV": 5.0, "D0.7V": 8.0}.items(), start=1):
        growing.begin_tomogram(name, attempt)
        growing.expose(2)
        growing.end_tomogram(attempt)
        growing.measure(name, "voltage", 2.0, "V", 1e-4)
        write_displacement(write_state(growing.run, attempt, value), (0.0, 0.0, 2.0))
    page = Inside(open_monitor(growing.run))
    page.until(lambda: page.states == ["D0.7V"])
    return page


def test_the_newest_state_is_followed_until_another_one_is_chosen(inside: Inside, growing: FakedRun) -> None:
    inside.controls.choose(state=1)
    inside.until(lambda: inside.states == ["OCV"])
    growing.begin_tomogram("C3.0V", 3)
    growing.end_tomogram(3)
    write_state(growing.run, 3, 6.0)
    inside.until(lambda: len(inside.controls._tomograms or ()) == 3)
    assert inside.states == ["OCV"]
    inside.controls.choose(state=None)
    inside.until(lambda: inside.states == ["C3.0V"])


def test_two_states_stand_beside_each_other_in_the_same_greys_or_as_a_difference(inside: Inside) -> None:
    inside.controls.choose(compared=Relative.BEFORE)
    inside.until(lambda: inside.states == ["D0.7V", "OCV"])
    first, second = inside.pictures
    assert first.scale == second.scale
    inside.controls.choose(comparison=Comparison.DIFFERENCE)
    inside.until(lambda: inside.states == ["D0.7V − OCV"])
    (change,) = inside.pictures
    assert isinstance(change.scale, DifferenceScale)
    assert np.all(change.planes.values["xy"] == 3.0)
    inside.area.slices[0].grab()


def test_the_controls_themselves_choose(inside: Inside) -> None:
    def pick(chooser: QtWidgets.QComboBox, text: str) -> None:
        chooser.setCurrentIndex(chooser.findText(text))
        chooser.activated.emit(chooser.currentIndex())

    pick(inside.controls._compared, "the first state")
    pick(inside.controls._comparison, "difference")
    inside.until(lambda: inside.states == ["D0.7V − OCV"])
    pick(inside.controls._plane, "xz alone")
    (view,) = inside.area.slices
    assert list(view._places()) == ["xz"]
    view.grab()
    pick(inside.controls._compared, "nothing")
    pick(inside.controls._state, "OCV")
    inside.until(lambda: inside.states == ["OCV"])
    inside.controls._masks.click()
    inside.until(lambda: bool(inside.pictures[0].legend))


def test_why_states_have_no_difference_is_said_and_they_stand_beside_each_other(
    inside: Inside, growing: FakedRun
) -> None:
    write_state(growing.run, 1, 5.0, voxel_um=4.0)
    inside.controls.choose(compared=1, comparison=Comparison.DIFFERENCE)
    inside.until(lambda: "their voxels measure 2 and 4 µm" in inside.words)
    assert inside.states == ["D0.7V", "OCV"]


def test_masks_and_displacement_are_laid_over_with_a_legend(inside: Inside) -> None:
    inside.controls.choose(masks=True, displacement=True)
    inside.until(lambda: bool(inside.pictures and inside.pictures[0].legend))
    (picture,) = inside.pictures
    assert [words for _, words in picture.legend] == ["high attenuation", "cracks"]
    assert picture.arrows is not None
    assert picture.arrows.told_um == 2.0
    colours = {int(pixel) for pixel in picture.images["xy"].pixels.ravel()}
    assert len(colours) == 3  # of the state, of the copper and of the crack
    inside.area.slices[0].grab()


def test_levels_typed_by_a_person_stay_and_turn_no_page(inside: Inside) -> None:
    box = inside.controls._white
    inside.monitor.window.show()
    box.setFocus()
    box.selectAll()
    QtTest.QTest.keyClicks(box, "12.5")
    QtTest.QTest.keyClick(box, QtCore.Qt.Key.Key_Return)
    assert not box.hasFocus()
    assert inside.monitor.window.page.title == "Inside the cell"
    levels = inside.controls.choice.levels_per_cm
    assert levels is not None
    assert levels[1] == 12.5
    inside.until(lambda: bool(inside.pictures) and "white 12.5" in inside.pictures[0].scale.words)
    inside.controls.choose(state=1)
    inside.until(lambda: inside.states == ["OCV"])
    assert "white 12.5" in inside.pictures[0].scale.words
    inside.controls._auto.click()
    inside.until(lambda: "white 12.5" not in inside.pictures[0].scale.words)


def test_moved_planes_are_cut_in_both_states_and_no_wish_is_written_for_finished_ones(
    inside: Inside, growing: FakedRun
) -> None:
    inside.controls.choose(compared=1)
    inside.until(lambda: len(inside.pictures) == 2)
    inside.area.slices[0]._ask_for(PlaneWish(z=0.9, y=0.5, x=0.5))
    inside.until(lambda: [picture.planes.source for picture in inside.pictures] == ["live.h5", "live.h5"])
    assert {picture.planes.at for picture in inside.pictures} == {(3, 5, 5)}
    assert not growing.run.plane_wish.exists()
    inside.area.slices[0]._ask_for(PlaneWish())
    inside.until(lambda: [picture.planes.source for picture in inside.pictures] == ["slices.h5", "slices.h5"])
    assert inside.area.slices[1]._wish is None


def test_a_volume_that_is_deleted_while_it_is_seen_is_told(inside: Inside, growing: FakedRun) -> None:
    inside.controls.choose(state=1)
    inside.until(lambda: inside.states == ["OCV"])
    rmtree(growing.run.volume(1))
    inside.until(lambda: "The volume of OCV (attempt 1) was deleted" in inside.words)


def test_projections_show_frames_and_a_sinogram_whose_row_is_moved(inside: Inside) -> None:
    inside.controls.choose(side=Side.PROJECTIONS)
    (view,) = inside.area.findChildren(ProjectionsView)
    inside.until(lambda: view._shown is not None and view._shown.sinogram is not None)
    assert view._shown is not None
    assert view._shown.projection is not None
    assert view._shown.projection.title == "projection 2 of 360, D0.7V"
    assert view._shown.flat is None  # none was taken
    view.resize(700, 400)
    ((frame, place),) = view._frames()
    point = QtCore.QPoint(round(place.x + 5), round(place.y + 0.25 * place.height))
    QtTest.QTest.mouseClick(view, QtCore.Qt.MouseButton.LeftButton, pos=point)
    row = inside.controls.choice.row
    assert row is not None
    assert row == pytest.approx(0.25 * frame.image.image.height(), abs=2)
    inside.until(
        lambda: (
            view._shown is not None and view._shown.sinogram is not None and view._shown.sinogram.sinogram.row == row
        )
    )
    view.grab()


def test_a_preview_is_compared_with_an_earlier_state_in_its_own_voxels(inside: Inside, growing: FakedRun) -> None:
    growing.begin_tomogram("C3.0V", 3)
    growing.expose(4)
    level = np.full((WIDTH // 2, WIDTH // 2), 9.0, np.float32)
    upright = level[: ROWS // 2]
    live = PreviewSlices("C3.0V", "u", level, upright, upright, 2, 5, 5, 4.0, 137, 360, 0.4, True, False)
    write_preview(growing.run.preview(3), live)
    inside.until(lambda: inside.states == ["C3.0V"])
    assert "projection" in inside.pictures[0].images
    inside.controls.choose(compared=Relative.BEFORE, comparison=Comparison.DIFFERENCE)
    inside.until(lambda: inside.states == ["C3.0V − D0.7V"])
    (change,) = inside.pictures
    assert np.all(change.planes.values["xy"] == 9.0 - (8.0 + 2))  # the third row of the volume of the whole view
    inside.area.slices[0]._ask_for(PlaneWish(z=0.1, y=0.5, x=0.5))
    inside.until(lambda: growing.run.plane_wish.exists())  # the analysis is asked to follow


def test_a_newer_projection_beside_the_same_planes_is_drawn_alone(inside: Inside) -> None:
    (view,) = inside.area.slices
    (shown,) = inside.pictures
    one, two = (
        replace(shown, images={**shown.images, "projection": drawn})
        for drawn in shown.images.values()
        if drawn is not shown.images["yz"]
    )
    assert two.shares_planes_with(one)
    assert not one.shares_planes_with(shown)
    view.show_picture(one)
    view.show_picture(two)
    view.grab()


def test_the_measurements_are_exported_as_a_table(inside: Inside, tmp_path: Path) -> None:
    inside.monitor.window.export(tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text().count("voltage") == 2
    inside.monitor.window.export(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 1000


def test_what_was_chosen_stays_chosen_in_the_other_theme(open_monitor: OpenOn, growing: FakedRun) -> None:
    for attempt, name in ((1, "OCV"), (2, "D1.7V")):
        growing.begin_tomogram(name, attempt, num_projections=4)
        growing.expose(4)
        growing.end_tomogram(attempt)
        growing.measure(name, "high_attenuation_volume", 5e3, "um3", 4e3)
        growing.measure(name, "stack_pressure", 22.0, "MPa", 0.1)
    monitor = open_monitor(growing.run)
    monitor.window.show_page("Inside")
    monitor.until(lambda view: len(view.measurements) == 4)
    page = monitor.window.page
    assert isinstance(page, InsidePage)
    chosen = replace(page.choice, state=1, masks=True, levels_per_cm=(0.5, 12.0)), "stack_pressure"
    page.choose_again(chosen)
    monitor.window.toggle_theme()
    other = monitor.window.page
    assert isinstance(other, InsidePage)
    assert other is not page
    assert other.chosen() == chosen
