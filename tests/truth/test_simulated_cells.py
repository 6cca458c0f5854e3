"""Simulated cells, rendered and analysed as in a rehearsal: what is measured follows what was really there."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from live_analysis.high_attenuation_volume import BELOW_DETECTION, NEAR_RESOLUTION
from live_analysis.live.live_volume import Assumptions
from live_analysis.tomogram_analysis import TomogramAnalysis
from operando.model.clock import SystemClock
from operando.model.geometry import ImagingGeometry
from simulators.cell_parameters import load_cell
from tests.support.offline_run import CELL, QUICK, START_S, OfflineRun, View, discharge, edited

SHIPPED = load_cell(CELL)
NARROW = View(ImagingGeometry(400, QUICK.num_rows, QUICK.pixel_size_um))  # less to render and filter
SHORT_EXPERIMENT = Path(__file__).parents[1] / "system" / "short.toml"


@pytest.fixture(scope="module")
def other_cell(tmp_path_factory: pytest.TempPathFactory) -> OfflineRun:
    """Half the load, larger particles, other copper, a bore far off the axis."""
    parameters = edited(
        SHIPPED,
        {
            "particles.active_mass": 0.576,
            "particles.median_diameter": 48.0,
            "copper.segregated_fraction": [0.0, 0.10, 0.45, 0.75, 1.0],
            "layers.bore_offset_x": -220.0,
            "layers.bore_offset_y": 150.0,
            "beam.axis_offset": -25.0,
        },
    )
    run = OfflineRun(tmp_path_factory.mktemp("other"), parameters, 5, View())
    run.expose("D0.7V", discharge(run.twin, run.parameters, 0.7))
    return run


def test_the_live_volume_tells_the_copper_before_the_tomogram_is_measured(other_cell: OfflineRun) -> None:
    analysis = TomogramAnalysis(other_cell.run, other_cell.experiment, other_cell.tomograms[0])
    analysis.begin_live(Assumptions(), SystemClock(), print)
    while analysis.poll():
        pass
    live = analysis.poll_live()
    assert live is not None
    (volume,) = analysis.quick_result(live).measurements
    true_um3 = other_cell.truths["D0.7V"]["high_attenuation_volume"]
    assert volume.value == pytest.approx(true_um3, rel=0.15)  # voxels of 7 um: others came out 4 to 15 % high
    assert abs(volume.value - true_um3) < 2 * volume.uncertainty
    assert volume.flags == ("quick",)


def test_another_cell_is_measured_as_well_as_the_published_one(other_cell: OfflineRun) -> None:
    found = other_cell.measure(other_cell.tomograms[0])
    true_um3 = other_cell.truths["D0.7V"]["high_attenuation_volume"]
    volume = found["high_attenuation_volume"]
    assert true_um3 > 1e5
    assert volume.value == pytest.approx(true_um3, rel=0.06)  # asked for are 15 %; cells of other seeds came within 4 %
    assert abs(volume.value - true_um3) < 2 * volume.uncertainty
    assert volume.flags == ()
    cracks, true_cracks_um3 = found["crack_volume"], other_cell.truths["D0.7V"]["crack_volume"]
    assert cracks.value == pytest.approx(true_cracks_um3, rel=0.12)  # asked for are 15 %; others came 5 to 10 % low
    assert abs(cracks.value - true_cracks_um3) < 2 * cracks.uncertainty
    assert found["crack_tilt"].value < 2.0  # degrees; all lie across the axis, and asked for are 5
    assert 0.5 * 34 < found["crack_count"].value < 1.1 * 34  # those that touch count as one
    axis = found["rotation_axis"]
    assert axis.value == pytest.approx(other_cell.axis_column, abs=0.5)  # columns: blurs less than the voxel
    assert abs(axis.value - other_cell.axis_column) < 2 * axis.uncertainty
    assert found["grey_scale_gain"].value == pytest.approx(1.0, abs=3 * found["grey_scale_gain"].uncertainty + 0.002)
    # between outer and resolved matrix: pores and cracks are left out only where they are resolved
    assert other_cell.phantom.outer_matrix_per_cm - 0.10 < found["matrix_attenuation"].value
    assert found["matrix_attenuation"].value < other_cell.phantom.matrix_per_cm + 0.03


def test_a_small_volume_is_flagged_and_the_truth_lies_within_its_uncertainty(tmp_path: Path) -> None:
    run = OfflineRun(tmp_path, SHIPPED, 3, NARROW)
    found = run.measure(run.expose("D1.7V", discharge(run.twin, SHIPPED, 1.7)))
    volume, cracks = found["high_attenuation_volume"], found["crack_volume"]
    true_um3 = run.truths["D1.7V"]["high_attenuation_volume"]
    assert true_um3 == pytest.approx(2.5e4, rel=0.1)
    assert NEAR_RESOLUTION in volume.flags
    assert abs(volume.value - true_um3) < 2 * volume.uncertainty
    assert cracks.value == 0  # 34 cracks of 0.01 um
    assert BELOW_DETECTION in cracks.flags
    assert run.truths["D1.7V"]["crack_volume"] < 2 * cracks.uncertainty
    assert cracks.uncertainty < 9.8e4  # 1 % of what D0.7 will show


def test_a_pristine_cell_shows_no_copper_and_no_cracks(tmp_path: Path) -> None:
    run = OfflineRun(tmp_path, SHIPPED, 4, NARROW)
    found = run.measure(run.expose("OCV", START_S))
    volume, cracks = found["high_attenuation_volume"], found["crack_volume"]
    assert run.truths["OCV"]["high_attenuation_volume"] == run.truths["OCV"]["crack_volume"] == 0
    assert volume.value <= 2 * volume.uncertainty
    assert NEAR_RESOLUTION in volume.flags
    assert (cracks.value, found["crack_count"].value) == (0, 0)
    assert {BELOW_DETECTION, "region_cut"} <= set(cracks.flags)  # 1.4 mm are seen


def test_with_few_projections_of_a_narrow_view_the_uncertainty_covers_what_is_wrong(tmp_path: Path) -> None:
    view = View(ImagingGeometry(160, 112, 3.52), num_projections=60, exposure_s=0.2, num_darks=5, num_flats=10)
    run = OfflineRun(tmp_path, SHIPPED, 1, view, SHORT_EXPERIMENT)
    found = run.measure(run.expose("OCV", START_S))
    volume, axis = found["high_attenuation_volume"], found["rotation_axis"]
    assert abs(axis.value - run.axis_column) < 2 * axis.uncertainty
    assert volume.value < 2 * volume.uncertainty
    assert {"rotation_axis_uncertain", NEAR_RESOLUTION} <= set(volume.flags)


def test_two_directions_are_no_tomogram_and_the_value_says_so(tmp_path: Path) -> None:
    view = View(ImagingGeometry(160, 112, 3.52), num_projections=2, exposure_s=0.2, num_darks=5, num_flats=10)
    run = OfflineRun(tmp_path, SHIPPED, 1, view, SHORT_EXPERIMENT)
    found = run.measure(run.expose("OCV", START_S))
    assert all("undersampled" in entry.flags for name, entry in found.items() if name == "high_attenuation_volume")
    assert "undersampled" in found["rotation_axis"].flags


def test_cu2s_and_displacement_are_part_of_the_truth() -> None:
    run_truth = _truth_at(1.2)
    assert run_truth["cu2s_volume"] > run_truth["high_attenuation_volume"] > 0
    rises_um = [layer["rise_um"] for layer in run_truth["displacement"]]
    assert rises_um == sorted(rises_um)
    assert run_truth["displacement"][-1]["height_um"] == SHIPPED.layers.cathode_thickness.value
    assert rises_um[-1] == pytest.approx(run_truth["interface_um"])
    assert np.isfinite(rises_um).all()


def _truth_at(voltage_v: float) -> dict[str, Any]:
    from simulators.cell_twin import CellTwin
    from simulators.phantom import Phantom
    from simulators.pristine_cell import ANALYSIS_REGION
    from simulators.truth import truth

    twin = CellTwin(SHIPPED, START_S)
    return truth(Phantom(SHIPPED, 1), twin.state(discharge(twin, SHIPPED, voltage_v)), ANALYSIS_REGION)
