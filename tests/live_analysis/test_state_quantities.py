"""What is told of a state beside the pristine one when view and rows are not the same in both."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from live_analysis.earlier_states import EarlierStates
from live_analysis.quantity import Quantity
from live_analysis.region_file import Face, RegionState, write_region
from live_analysis.run_follower import TomogramRun
from live_analysis.state_quantities import PresentState, state_quantities
from live_analysis.states.interface import Interface
from live_analysis.tomogram_context import TomogramContext
from operando.model.experiment_file import load_experiment
from operando.model.run_directory import RunDirectory

EXPERIMENT = Path(__file__).parents[2] / "experiments" / "cus_26mpa.toml"
VOXEL_UM, MATRIX_PER_CM = 3.52, 2.0
NUM_ROWS, ACROSS = 84, 64
HIDDEN_ROWS = 6


def matrix(up_voxels: int, seed: int) -> NDArray[np.float32]:
    """Pores in a matrix, lifted by whole voxels."""
    generator = np.random.default_rng(7)
    texture = ndimage.gaussian_filter(generator.normal(0, 1, (NUM_ROWS + 20, ACROSS, ACROSS)), 1.5)
    seen = texture[10 + up_voxels : 10 + up_voxels + NUM_ROWS]
    noise = np.random.default_rng(seed).normal(0, 0.1, seen.shape)
    return np.asarray(MATRIX_PER_CM + 8 * seen + noise, np.float32)


def region(name: str, values: NDArray[np.float32], face: Face | None = None) -> RegionState:
    core = (slice(1, len(values) - 1), slice(1, ACROSS - 1), slice(1, ACROSS - 1))
    return RegionState(values, core, 0, NUM_ROWS, VOXEL_UM, name, name, face)


def compared(folder: Path, now: RegionState, interface: Interface | None) -> dict[str, Quantity]:
    run = RunDirectory(folder)
    write_region(run.volume(1), region("OCV", matrix(0, 1), Face(200.0, 0.2)))
    start = {"uid": "second", "time": 0.0, "tomogram": "D0.7V", "attempt": 2, "energy_kev": 35.0}
    context = TomogramContext(run, load_experiment(EXPERIMENT), TomogramRun(start))
    present = PresentState(now, np.zeros(now.values_per_cm.shape, np.bool_), 0.0, {}, interface)
    return {told.name: told for told in state_quantities(context, present, EarlierStates(run))}


@pytest.fixture
def interface() -> Interface:
    return Interface(214.08, 0.5, 0.2, 1.95, 2.01, 0.5, 180.0, np.zeros((4, 4)))


def test_a_lifted_view_lifts_neither_electrode_nor_interface(tmp_path: Path, interface: Interface) -> None:
    told = compared(tmp_path, region("D0.7V", matrix(4, 2)), interface)  # 14.08 um up
    rise, shift = told["displacement_separator_side"], told["interface_shift"]
    assert "view_shifted" in rise.flags
    assert abs(rise.value) < 2 * rise.uncertainty
    assert "view_shifted" in shift.flags
    assert abs(shift.value) < 2 * shift.uncertainty


def test_rows_that_one_state_does_not_show_cost_layers_and_move_nothing(tmp_path: Path, interface: Interface) -> None:
    now = region("D0.7V", matrix(0, 2)[HIDDEN_ROWS:-HIDDEN_ROWS])
    told = compared(tmp_path, replace(now, first_row=HIDDEN_ROWS), interface)
    rise = told["displacement_separator_side"]
    assert "region_cut" in rise.flags
    assert abs(rise.value) < 2 * rise.uncertainty
    assert rise.uncertainty < VOXEL_UM


def test_of_another_place_no_displacement_is_told(tmp_path: Path, interface: Interface) -> None:
    told = compared(tmp_path, region("D0.7V", matrix(0, 2)[::-1].copy()), interface)
    assert "displacement_separator_side" not in told
    assert told["interface_shift"].flags == ("view_not_checked",)


def test_without_a_field_nobody_knows_whether_the_view_moved(tmp_path: Path, interface: Interface) -> None:
    stale = RunDirectory(tmp_path).volume(2) / "displacement.h5"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"of an earlier analysis")
    narrow = region("D0.7V", matrix(0, 2)[:, :-4])
    told = compared(tmp_path, narrow, interface)
    assert "displacement_separator_side" not in told
    assert told["interface_shift"].flags == ("view_not_checked",)
    assert not stale.exists()
