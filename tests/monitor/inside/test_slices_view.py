"""The slices of a tomogram that is being taken, seen and moved in the monitor's window."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6 import QtCore, QtGui, QtTest, QtWidgets

from operando.model.grey_window import GreyWindow
from operando.model.plane_wish import PlaneWish, PlaneWishReader
from operando.model.preview_slices import PreviewSlices, write_preview
from operando.model.run_directory import RunDirectory
from operando.monitor.inside.colour_scale import GreyScale
from operando.monitor.inside.image_area import ImageArea
from operando.monitor.inside.slice_picture import slice_picture
from operando.monitor.inside.slices_view import SlicesView
from operando.monitor.inside.state_planes import planes_of_preview
from operando.monitor.reading.preview_reader import PreviewReader
from operando.monitor.reading.run_view import TomogramView
from operando.monitor.theme import Look
from tests.monitor.conftest import OpenMonitor
from tests.support.run_directories import FakedRun

OpenOn = Callable[[RunDirectory], OpenMonitor]
RNG = np.random.default_rng(3)


def noise(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return RNG.normal(5, 1, shape).astype(np.float32)


GROWING = PreviewSlices(
    tomogram="OCV", run_uid="tomogram 1", xy=noise(100, 100), xz=noise(40, 100), yz=noise(40, 100),
    row=20, y=50, x=50, voxel_size_um=7.0, num_projections=137, num_announced=420, coverage=0.33,
    grey_values_absolute=True, complete=False,
)  # fmt: skip


def shown_by(monitor: OpenMonitor) -> SlicesView | None:
    """Return the view of slices if the window shows it."""
    (area,) = monitor.window.page.findChildren(ImageArea)
    return area.slices[0] if area.slices else None


def opened(open_monitor: OpenOn, growing: FakedRun) -> tuple[OpenMonitor, SlicesView]:
    growing.begin_tomogram("OCV", 1, num_projections=420)
    growing.expose(4)
    write_preview(growing.run.preview(1), GROWING)
    monitor = open_monitor(growing.run)
    monitor.window.show_page("Inside")
    monitor.until(lambda view: shown_by(monitor) is not None)
    view = shown_by(monitor)
    assert view is not None
    return monitor, view


def test_slices_are_shown_while_they_grow_and_until_the_picture_of_the_volume_is_drawn(
    open_monitor: OpenOn, growing: FakedRun
) -> None:
    monitor, view = opened(open_monitor, growing)
    (caption,) = [
        label for label in monitor.window.findChildren(QtWidgets.QLabel) if "projection 4 of 420" in label.text()
    ]
    drawn = view.grab().toImage()  # without an error, and not all of it paper
    assert len({drawn.pixelColor(x, drawn.height() // 2).rgb() for x in range(drawn.width())}) > 10
    growing.end_tomogram(1)
    monitor.until(lambda seen: caption.text() == "The analysis is still adding projections")
    assert shown_by(monitor) is view
    growing.draw_preview("OCV", 1)
    monitor.until(lambda seen: caption.text() == "Preview · OCV")
    assert shown_by(monitor) is None


def test_dragging_in_a_slice_asks_for_the_planes_that_cut_it_there(open_monitor: OpenOn, growing: FakedRun) -> None:
    monitor, view = opened(open_monitor, growing)
    place = view._places()["xz"]

    def point(across: float, down: float) -> QtCore.QPoint:
        return QtCore.QPoint(round(place.x + across * place.width), round(place.y + down * place.height))

    QtTest.QTest.mousePress(view, QtCore.Qt.MouseButton.LeftButton, pos=point(0.9, 0.9))
    QtTest.QTest.mouseMove(view, point(0.25, 0.75))
    QtTest.QTest.mouseRelease(view, QtCore.Qt.MouseButton.LeftButton, pos=point(0.25, 0.75))
    reader, found = PlaneWishReader(growing.run.plane_wish), [PlaneWish()]
    pixel = 1 / min(place.width, place.height)

    def asked_for(x: float, z: float) -> bool:
        found[0] = reader.newest() or found[0]
        return (found[0].x, found[0].z) == pytest.approx((x, z), abs=pixel)

    monitor.until(lambda _: asked_for(0.25, 0.75))
    (wish,) = found
    assert wish.y == pytest.approx(50.5 / 100)
    moved = wish.voxels(GROWING.volume_shape)
    assert view._wish is not None  # dashed until the analysis has followed
    write_preview(growing.run.preview(1), replace(GROWING, row=moved[0], y=moved[1], x=moved[2]))
    monitor.until(lambda _: view._wish is None)


@pytest.mark.usefixtures("open_monitor")
def test_the_wheel_moves_the_slice_itself_and_a_double_click_all_planes_into_the_middle() -> None:
    view, asked = SlicesView(Look()), list[PlaneWish]()
    view.wished.connect(asked.append)
    view.resize(700, 300)
    shown = replace(GROWING, row=GROWING.volume_shape[0] - 1)
    scale = GreyScale(GreyWindow(0.0, 10.0), "1/cm")
    view.show_picture(slice_picture(planes_of_preview(shown), scale))
    place = view._places()["xy"]
    over_xy = QtCore.QPointF(place.x + 5, place.y + 5)
    for angle in (120, -120, -120):
        nothing, turned = QtCore.QPoint(), QtCore.QPoint(0, angle)
        view.wheelEvent(
            QtGui.QWheelEvent(
                over_xy,
                over_xy,
                nothing,
                turned,
                QtCore.Qt.MouseButton.NoButton,
                QtCore.Qt.KeyboardModifier.NoModifier,
                QtCore.Qt.ScrollPhase.NoScrollPhase,
                False,
            )
        )
    assert [wish.voxels(shown.volume_shape) for wish in asked] == [(39, 50, 50), (38, 50, 50), (37, 50, 50)]
    QtTest.QTest.mouseDClick(view, QtCore.Qt.MouseButton.LeftButton, pos=over_xy.toPoint())
    assert asked[-1] == PlaneWish()


def test_a_damaged_preview_is_as_none(open_monitor: OpenOn, growing: FakedRun) -> None:
    growing.begin_tomogram("OCV", 1, num_projections=420)
    growing.run.preview(1).parent.mkdir()
    growing.run.preview(1).write_bytes(b"\x89HDF no preview")
    monitor = open_monitor(growing.run)
    monitor.window.show_page("Inside")
    view = monitor.until(lambda view: view.running_tomogram is not None)
    assert shown_by(monitor) is None
    assert view.problems == ()


def test_the_second_tomogram_is_seen_in_the_greys_of_the_first_one_from_its_beginning(growing: FakedRun) -> None:
    reader = PreviewReader(growing.run)
    first = TomogramView("OCV", 1, 0.0, None, "", "", 420, 0)
    write_preview(growing.run.preview(1), replace(GROWING, complete=True))
    streaks = replace(GROWING, run_uid="tomogram 2", xy=20 * GROWING.xy, num_projections=20, coverage=0.05)
    write_preview(growing.run.preview(2), streaks)
    shown, second = reader.newest(first), reader.newest(replace(first, attempt=2))
    assert shown is not None
    assert second is not None
    assert second.window == shown.window
    assert reader.newest(replace(first, attempt=2)) is second


def test_what_slices_rest_on_is_said_in_words() -> None:
    growing = planes_of_preview(GROWING)
    assert growing.told == "OCV: 137 of 420 projections"
    assert growing.warning == "33% of the directions: smeared along the missing ones"
    wedge = planes_of_preview(replace(GROWING, complete=True, coverage=0.8, grey_values_absolute=False))
    assert "80% of the directions" in wedge.warning
    assert "grey values not absolute" in wedge.warning
    assert planes_of_preview(replace(GROWING, complete=True, coverage=1.0)).warning == ""
