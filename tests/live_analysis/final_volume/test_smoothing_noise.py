from dataclasses import replace

import numpy as np
import pytest

from live_analysis.corrections.counts_correction import Lean
from live_analysis.corrections.moved_frames import upright
from live_analysis.corrections.phase import PhaseFilter
from live_analysis.final_volume.plan import Axis, VolumePlan, VolumeSettings
from live_analysis.final_volume.smoothing_noise import smoothing
from live_analysis.final_volume.stripe_noise import difference_response

ROWS, COLUMNS, LEAN = 96, 128, Lean(0.8, 40.0, 60.0)
PLAN = VolumePlan(
    settings=VolumeSettings(), fingerprint="", rows=(0, ROWS), seen_rows=(0, ROWS), slab_rows=ROWS, chunk_rows=ROWS,
    num_levels=1, num_columns=COLUMNS, square=COLUMNS, region=(0, COLUMNS, 0, COLUMNS), axis=Axis(63.5, 0, 1, ""),
    pixel_size_um=10.0, extended=False, taper_columns=0, lean=None, phase_length_um=None, bore=None,
    grey_values_absolute=True, coverage=1.0, num_repeated_angles=0,
)  # fmt: skip


@pytest.mark.parametrize(("lean", "phase_um"), [(LEAN, None), (None, 8.0), (LEAN, 8.0)])
def test_what_is_left_of_white_noise_is_what_the_corrections_leave(lean: Lean | None, phase_um: float | None) -> None:
    rng = np.random.default_rng(6)
    frames = rng.standard_normal((60, ROWS, COLUMNS)).astype(np.float32)
    if phase_um is not None:
        frames = PhaseFilter(phase_um, PLAN.pixel_size_um).contact_transmission(frames)
    if lean is not None:
        frames = upright(frames, lean.tilt_deg, centre_row=lean.row, centre_column=lean.column)
    rows = slice(16, ROWS - 16)  # what lies beyond the frame's edges is mirrored, or not there
    found = smoothing(replace(PLAN, lean=lean, phase_length_um=phase_um), rows)
    assert found is not None
    cycles = np.arange(COLUMNS // 2 + 1, dtype=np.float64) / COLUMNS
    powers = np.abs(np.fft.rfft(frames[:, rows], axis=2)) ** 2 / COLUMNS
    low = slice(1, COLUMNS // 3)  # above, moves by parts of a column take most
    ratio = powers.mean(axis=(0, 1))[low] / (found.amplitude(cycles)[low] ** 2 * found.of_columns.mean())
    assert ratio.mean() == pytest.approx(1, abs=0.06)  # in variances: half as much in noise
    assert ratio.std() < 0.06  # 60 frames of 64 rows, of which about a third are independent: 3 %
    seen = cycles * np.sinc(cycles) ** 4
    by_row = (powers * seen**2).mean(axis=(0, 2))
    assert np.std(by_row / by_row.mean() / (found.of_rows / found.of_rows.mean())) < 0.1
    different = difference_response(cycles) ** 2
    differences = float((powers * different).mean() / different.mean())
    assert differences == pytest.approx(float(found.of_differences.mean() * found.of_columns.mean()), rel=0.06)


def test_corrections_that_do_not_smooth_leave_everything() -> None:
    assert smoothing(PLAN, slice(0, 4)) is None
