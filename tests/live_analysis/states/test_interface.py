"""The face between cathode and separator, in boxes whose noise is twenty times the step."""

import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.displacement.collector_rise import NOT_CHECKED, CollectorRise
from live_analysis.states.interface import find_interface, interface_quantities, interface_shift
from live_analysis.states.placed_volume import PlacedVolume, StateError

VOXEL_UM = 3.52
FIRST_ROW, NUM_ROWS, NUM_VIEW_ROWS, NUM_ACROSS = 8, 36, 80, 200
LOWER_PER_CM, UPPER_PER_CM, NOISE_PER_CM = 1.95, 2.01, 0.9


def cathode(
    face_um: float, *, lower_per_cm: float = LOWER_PER_CM, cracked: bool = False, seed: int = 1
) -> PlacedVolume:
    """A cathode up to ``face_um`` with particles that end 6 um below it and, if asked, cracks just under the face."""
    random = np.random.default_rng(seed)
    place_um = (np.arange(NUM_ACROSS) - (NUM_ACROSS - 1) / 2) * VOXEL_UM
    height_um = (NUM_VIEW_ROWS - FIRST_ROW - np.arange(NUM_ROWS) - 0.5) * VOXEL_UM
    below = np.clip((face_um - height_um) / VOXEL_UM + 0.5, 0, 1)
    values = UPPER_PER_CM + (lower_per_cm - UPPER_PER_CM) * below[:, None, None]
    values = values + random.normal(0, NOISE_PER_CM, (NUM_ROWS, NUM_ACROSS, NUM_ACROSS))
    y, x = np.meshgrid(place_um, place_um, indexing="ij")
    for _ in range(30):
        centre_um = random.uniform(-350, 350, 2)
        across_um = np.hypot(x - centre_um[0], y - centre_um[1])
        particle_um = face_um - 26 - random.exponential(20)
        inside = across_um[None] ** 2 + (height_um[:, None, None] - particle_um) ** 2 < 20**2
        values[inside] += 22.5
        if cracked:
            centre_um = random.uniform(-350, 350, 2)
            half_um = 2.0 * np.sqrt(np.maximum(1 - (np.hypot(x - centre_um[0], y - centre_um[1]) / 100) ** 2, 0))
            middle_um = face_um - random.uniform(5, 30)
            top = np.minimum(height_um[:, None, None] + VOXEL_UM / 2, middle_um + half_um)
            bottom = np.maximum(height_um[:, None, None] - VOXEL_UM / 2, middle_um - half_um)
            values -= lower_per_cm * np.maximum(top - bottom, 0) / VOXEL_UM
    core = (slice(0, NUM_ROWS), slice(11, -11), slice(11, -11))
    return PlacedVolume(values.astype(np.float32), VOXEL_UM, FIRST_ROW, NUM_VIEW_ROWS, core)


@pytest.mark.parametrize(("face_um", "lower_per_cm"), [(200.0, LOWER_PER_CM), (201.7, 2.07)])
def test_the_face_is_found_within_half_a_voxel_whichever_side_is_brighter(face_um: float, lower_per_cm: float) -> None:
    found = find_interface(cathode(face_um, lower_per_cm=lower_per_cm))
    assert abs(found.height_um - face_um) < 0.5 * VOXEL_UM
    assert abs(found.height_um - face_um) < 2 * found.uncertainty_um
    assert face_um - 40 < found.particles_end_um < face_um


def test_cracks_just_below_the_face_do_not_pull_it_by_half_a_voxel() -> None:
    pristine, later = find_interface(cathode(200.0)), find_interface(cathode(208.0, cracked=True, seed=2))
    (height,) = interface_quantities(later)
    shift = interface_shift(later, pristine.face, NOT_CHECKED)
    assert later.used < 0.8  # cracks cover a part of the area
    assert abs(height.value - 208.0) < 0.5 * VOXEL_UM
    assert abs(shift.value - 8.0) < 2 * shift.uncertainty
    assert shift.uncertainty < VOXEL_UM
    assert shift.flags == ("view_not_checked",)


def test_what_the_view_moved_by_is_no_shift_of_the_interface() -> None:
    pristine, later = find_interface(cathode(200.0)), find_interface(cathode(211.0, seed=2))
    shift = interface_shift(later, pristine.face, CollectorRise(8.0, 0.5, 8.0, 0.5))
    assert "view_shifted" in shift.flags
    assert abs(shift.value - 3.0) < 2 * shift.uncertainty
    assert shift.uncertainty > 0.5  # um: how well it is known what the view moved by


def _all(value: float) -> NDArray[np.float32]:
    return np.full((NUM_ROWS, 60, 60), value, np.float32)


def test_a_box_without_particles_or_without_the_face_is_refused_in_a_sentence() -> None:
    whole = (slice(0, NUM_ROWS), slice(0, 60), slice(0, 60))
    with pytest.raises(StateError, match="no particle stands out"):
        find_interface(PlacedVolume(_all(2.0), VOXEL_UM, 0, NUM_VIEW_ROWS, whole))
    with pytest.raises(StateError, match="nothing of the box was seen"):
        find_interface(PlacedVolume(_all(np.nan), VOXEL_UM, 0, NUM_VIEW_ROWS, whole))
    cut = cathode(200.0).values_per_cm[-round(76 / VOXEL_UM) :]  # up to 3 um above the face
    with pytest.raises(StateError, match="must be seen"):
        find_interface(PlacedVolume(cut, VOXEL_UM, FIRST_ROW + NUM_ROWS - len(cut), NUM_VIEW_ROWS, whole))
