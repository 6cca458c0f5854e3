"""A camera that stands still while the stage turns is noticed by times and angles together, by neither alone."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from operando.model.frames import ANGLES, TIMES
from plans.camera_stall import stall_of

Floats = NDArray[np.floating[Any]]
NUM, PERIOD_S, STEP_DEG, END_DEG = 45, 0.2, 4.0, 184.0


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
    assert f"for {PERIOD_S + stall_s:.2g} s" in said


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
