"""A camera that stands still while the stage turns, and a stage that is late, are noticed; jitter is not."""

import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from devices.rotation_stage import AngleScan
from operando.model.frames import ANGLES, TIMES
from plans.even_turn import unevenness

Floats = NDArray[np.floating[Any]]
NUM, PERIOD_S, STEP_DEG, END_DEG = 45, 0.2, 4.0, 184.0
PLANNED = AngleScan(0.0, STEP_DEG, NUM, PERIOD_S, PERIOD_S)


def stall_of(path: Path) -> str:
    return unevenness(path, PLANNED)


def written(folder: Path, times_s: Floats, angles_deg: Floats) -> Path:
    path = folder / "0001_projection.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file[TIMES], file[ANGLES] = times_s, angles_deg
    return path


def stalled(after: int, stall_s: float) -> tuple[Floats, Floats]:
    times_s = PERIOD_S * np.arange(NUM)
    times_s[after:] += stall_s
    return times_s, np.minimum(times_s / PERIOD_S * STEP_DEG, END_DEG)


@given(after=st.integers(1, NUM - 5), stall_s=st.floats(0.3, 100.0))
def test_a_stall_is_told_with_its_length_wherever_it_comes(
    after: int, stall_s: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    said = stall_of(written(tmp_path_factory.mktemp("stall"), *stalled(after, stall_s)))
    assert f"after its projection {after}," in said
    told = re.search(r"for (\S+) s after", said)
    assert told is not None, said
    assert float(told[1]) == pytest.approx(PERIOD_S + stall_s, rel=0.051)  # two digits, half a unit of the second


def test_even_frames_are_no_stall(tmp_path: Path) -> None:
    assert stall_of(written(tmp_path, *stalled(NUM, 0.0))) == ""


def test_times_that_jitter_are_no_stall_while_the_angles_are_even(tmp_path: Path) -> None:
    times_s, _ = stalled(20, 1.0)
    assert stall_of(written(tmp_path, times_s, STEP_DEG * np.arange(NUM))) == ""


def test_uneven_angles_are_no_stall_while_the_times_are_even(tmp_path: Path) -> None:
    _, angles_deg = stalled(20, 1.0)
    assert stall_of(written(tmp_path, PERIOD_S * np.arange(NUM), angles_deg)) == ""


def test_a_file_that_cannot_be_read_tells_nothing(tmp_path: Path) -> None:
    assert stall_of(tmp_path / "none.h5") == ""
    (tmp_path / "text.h5").write_text("no HDF5")
    assert stall_of(tmp_path / "text.h5") == ""


@pytest.mark.parametrize("num", [0, 1, 2])
def test_too_few_frames_tell_nothing(tmp_path: Path, num: int) -> None:
    assert stall_of(written(tmp_path, np.arange(num, dtype=float), np.arange(num, dtype=float))) == ""


@given(after=st.integers(1, NUM - 4), num=st.integers(3, 40))
def test_a_stage_that_stands_still_for_some_frames_is_late(
    after: int, num: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    index = np.arange(NUM)
    angles_deg = STEP_DEG * np.where(index < after, index, np.maximum(index - num, after))
    said = stall_of(written(tmp_path_factory.mktemp("late"), PERIOD_S * index, angles_deg))
    assert said.startswith(f"the projections cover {np.ptp(angles_deg):.4g} deg instead of 176 deg")


def test_a_stage_that_is_asked_rarely_shows_stairs_and_is_not_late(tmp_path: Path) -> None:
    num = 2000
    angles_deg = np.floor(0.09 * np.arange(num) / 1.0) * 1.0  # ten readings a second of a turn at 10 deg/s
    path = written(tmp_path, 0.009 * np.arange(num), angles_deg)
    assert unevenness(path, AngleScan(0.0, 0.09, num, 0.009, 0.009)) == ""
