"""What stands still is an error after so many seconds of the clock, with fake process variables and no server."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ophyd.sim import make_fake_device

from devices.camera import Camera, CameraError, FrameSeries
from devices.checked_motor import MoveError
from devices.chip_region import ChipRegion, ChipRegionError, chip_settings
from devices.rotation_stage import AngleScan, RotationStage, flight_of
from devices.shutter import Shutter, ShutterError
from operando.model.frames import FrameKind
from tests.support.fast_clock import FastClock


def test_a_stalled_motor_fails_after_its_readback_stood_still_and_not_before() -> None:
    clock = FastClock()
    stage: Any = make_fake_device(RotationStage)("R:", name="rotation", clock=clock, stall_s=5.0)
    for signal, value in ((stage.user_readback, 0.0), (stage.motor_done_move, 1), (stage.direction_of_travel, 1)):
        signal.sim_put(value)
    stage.user_setpoint.sim_set_limits((-720, 720))
    status = stage.set(90.0)
    stage.motor_done_move.sim_put(0)
    for angle_deg in (1.0, 2.0, 3.0):  # as long as it moves, no time is too long
        clock.sleep_until(clock.now() + 4.9)
        stage.user_readback.sim_put(angle_deg)
        stage.look()
        assert not status.done
    clock.sleep_until(clock.now() + 5.1)
    stage.look()
    with pytest.raises(MoveError, match=r"has stood at 3 for 5.1 s \(limit 5 s\)"):
        status.wait(5)


def test_a_stuck_shutter_fails_with_its_status() -> None:
    clock = FastClock()
    shutter: Any = make_fake_device(Shutter)("S:", name="shutter", clock=clock, stuck_s=10.0)
    shutter.status_text.sim_put("Closed")
    status = shutter.set("open")
    assert not status.done
    clock.sleep_until(clock.now() + 10.1)
    shutter.look()
    with pytest.raises(ShutterError, match=r"asked to be open, but S:STATUS has said closed for 10\.1 s"):
        status.wait(5)


@pytest.mark.parametrize("step_s", [60.0, -60.0])
def test_a_clock_that_is_set_makes_nobody_stand_still_and_hides_nobody_who_does(step_s: float) -> None:
    clock = FastClock()
    shutter: Any = make_fake_device(Shutter)("S:", name="shutter", clock=clock, stuck_s=10.0)
    shutter.status_text.sim_put("Closed")
    status = shutter.set("open")
    clock.set_by(step_s)
    shutter.look()
    assert not status.done
    clock.sleep_until(clock.now() + 10.1)
    shutter.look()
    with pytest.raises(ShutterError, match=r"for 10\.1 s"):
        status.wait(5)


def flying(clock: FastClock, tmp_path: Any) -> Any:
    camera: Any = make_fake_device(Camera)("C:", name="camera", clock=clock)
    for signal in (
        camera.cam.array_counter,
        camera.hdf1.num_captured,
        camera.hdf1.dropped_arrays,
        camera.cam.acquiring,
    ):
        signal.sim_put(0)
    camera.hdf1.capturing.sim_put(1)
    camera._series = FrameSeries(FrameKind.FLAT, tmp_path / "0001_flat.h5", 10, 0.1, 0.1)
    camera.kickoff()
    camera.cam.acquiring.sim_put(1)
    return camera


def test_a_camera_fails_when_no_new_frame_came_for_so_many_frame_periods(tmp_path: Any) -> None:
    clock = FastClock()
    camera = flying(clock, tmp_path)
    flight = camera.complete()
    for written in (3, 4):
        clock.sleep_until(clock.now() + 3.9)
        camera.cam.array_counter.sim_put(written)
        camera.look()
        assert not flight.done
    clock.sleep_until(clock.now() + 4.1)
    camera.look()
    with pytest.raises(CameraError, match="10 frames of kind flat were asked for; 4 were acquired and 0 written"):
        flight.wait(5)


def test_a_series_is_over_when_its_frames_are_in_the_file_and_not_when_the_exposures_are(tmp_path: Any) -> None:
    camera = flying(FastClock(), tmp_path)
    camera._flight, answers = None, []
    camera.cam.acquire.put = lambda _value, **options: answers.append(options["callback"])
    camera.kickoff()
    flight = camera.complete()
    camera.cam.acquiring.sim_put(0)
    camera.cam.array_counter.sim_put(10)
    camera.hdf1.num_captured.sim_put(8)
    for answer in answers:
        answer()
    camera.look()
    assert not flight.done
    camera.hdf1.num_captured.sim_put(10)
    camera.look()
    flight.wait(5)


@pytest.mark.parametrize("at_question", range(6))
def test_a_last_frame_that_comes_between_two_questions_is_not_taken_for_a_lost_one(
    tmp_path: Any, at_question: int
) -> None:
    camera, asked = flying(FastClock(), tmp_path), 0
    flight = camera.complete()
    camera.cam.array_counter.sim_put(9)
    camera.hdf1.num_captured.sim_put(9)

    def watched(get: Any) -> Any:
        def asking(**options: Any) -> Any:
            nonlocal asked
            if asked == at_question:
                camera.cam.array_counter.sim_put(10)
                camera.hdf1.num_captured.sim_put(10)
                camera.cam.acquiring.sim_put(0)
            asked += 1
            return get(**options)

        return asking

    for signal in (camera.cam.acquiring, camera.cam.array_counter, camera.hdf1.num_captured, camera.hdf1.capturing):
        signal.get = watched(signal.get)
    for _ in range(3):
        camera.look()
    flight.wait(5)
    assert flight.success


def test_a_file_that_somebody_else_closes_ends_the_series_at_the_next_look(tmp_path: Any) -> None:
    camera = flying(FastClock(), tmp_path)
    flight = camera.complete()
    camera.hdf1.capturing.sim_put(0)
    camera.look()
    with pytest.raises(CameraError, match="0 were acquired and 0 written when the file was closed"):
        flight.wait(5)


def test_a_second_kickoff_of_the_same_series_starts_nothing(tmp_path: Any) -> None:
    camera = flying(FastClock(), tmp_path)
    flight = camera.complete()
    camera.cam.acquire.sim_put(0)
    camera.kickoff()
    assert camera.cam.acquire.get() == 0
    assert camera.complete() is flight


def prepared_by_hand(camera: Any, path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """Make a file open and close when a test says so; return what the camera does in the background."""
    works: list[Callable[[], None]] = []
    camera.hdf1.capturing.sim_put(0)
    camera.cam.acquiring.sim_put(0)
    camera.hdf1.full_file_name.sim_put(str(path))
    for signal in (camera.cam.array_size_x, camera.cam.array_size_y):
        signal.sim_put(8)
    monkeypatch.setattr("devices.camera.put_all", lambda _settings: None)
    monkeypatch.setattr("devices.camera.in_background", lambda _camera, work: works.append(work))
    monkeypatch.setattr(camera.hdf1.capture, "put", lambda value: camera.hdf1.capturing.sim_put(value))
    camera.prepare(FrameSeries(FrameKind.FLAT, path, 10, 0.1, 0.1))
    return works


def test_a_series_that_is_ended_before_its_file_opens_opens_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = flying(FastClock(), tmp_path)
    works = prepared_by_hand(camera, tmp_path / "0001_flat.h5", monkeypatch)
    camera.end_series()
    opening, closing = works
    closing()
    with pytest.raises(CameraError, match=r"the series was ended before .*0001_flat\.h5 was opened"):
        opening()
    assert not camera.capturing
    camera.prepare(FrameSeries(FrameKind.FLAT, tmp_path / "0001_flat.h5", 10, 0.1, 0.1))
    works[-1]()
    assert camera.capturing


def test_a_series_that_is_ended_while_its_file_opens_leaves_none_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = flying(FastClock(), tmp_path)
    works = prepared_by_hand(camera, tmp_path / "0001_flat.h5", monkeypatch)
    threads: list[threading.Thread] = []

    def put(value: int) -> None:
        if value:
            camera.end_series()
            threads.append(threading.Thread(target=works[-1]))
            threads[0].start()
            threads[0].join(0.5)  # one that does not wait for the opening is over by then
        camera.hdf1.capturing.sim_put(value)

    monkeypatch.setattr(camera.hdf1.capture, "put", put)
    works[0]()
    threads[0].join(5.0)
    assert not camera.capturing


@given(
    start_deg=st.floats(-90, 90), step_deg=st.floats(0.01, 2), forward=st.booleans(), index=st.integers(0, 99),
    exposed=st.floats(0.1, 1),
)  # fmt: skip
def test_every_frame_is_centred_at_its_angle_and_lies_in_the_flight(
    start_deg: float, step_deg: float, forward: bool, index: int, exposed: float
) -> None:
    scan = AngleScan(start_deg, step_deg if forward else -step_deg, 100, 0.5, 0.5 * exposed)
    flight = flight_of(scan, acceleration_s=0.3)
    mid_s = flight.first_exposure_after_s + index * scan.period_s + scan.exposure_s / 2
    sign = 1 if forward else -1
    angle_deg = flight.from_deg + sign * flight.velocity_deg_s * (mid_s - 0.15)
    assert angle_deg == pytest.approx(start_deg + index * scan.step_deg, abs=1e-6)
    assert mid_s < flight.duration_s - 0.3, "still at constant velocity"


@given(num=st.integers(1, 4000), binning=st.integers(1, 8), chip=st.integers(1, 4096))
def test_a_region_lies_on_the_chip_or_is_refused(num: int, binning: int, chip: int) -> None:
    region = ChipRegion(num, 1, binning)
    if num * binning > chip:
        with pytest.raises(ChipRegionError):
            chip_settings(region, chip_columns=chip, chip_rows=100)
    else:
        settings = chip_settings(region, chip_columns=chip, chip_rows=100)
        assert 0 <= settings.min_x
        assert settings.min_x + settings.size_x <= chip
