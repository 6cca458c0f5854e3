"""Integrals of a slab are those of the whole frames, whatever is corrected."""

from pathlib import Path

import numpy as np
import pytest

from live_analysis.corrections.counts_correction import CorrectionSettings, Lean
from live_analysis.corrections.phase import PhaseFilter
from live_analysis.final_volume.beam import measure_beam
from live_analysis.final_volume.first_look import integrals_of
from tests.live_analysis.final_volume.scans import opened, written


@pytest.mark.parametrize(
    "settings",
    [
        CorrectionSettings(),
        CorrectionSettings(lean=Lean(2.0, 9.5, 31.8)),
        CorrectionSettings(phase=PhaseFilter(10.0, 20.0)),
    ],
    ids=["plain", "lean", "phase"],
)
def test_a_slab_is_corrected_as_the_whole_frame_would_be(tmp_path: Path, settings: CorrectionSettings) -> None:
    scan = opened(written(tmp_path / "scan.h5"))
    beam, seen = measure_beam(scan), slice(0, 20)
    whole = integrals_of(scan, beam, seen, seen, settings)
    slab = integrals_of(scan, beam, slice(8, 12), seen, settings)
    np.testing.assert_allclose(slab.values, whole.values[:, 8:12], atol=2e-3)  # a fifth of the photons' noise
    one = integrals_of(scan, beam, slice(8, 12), seen, settings, slice(50, 51))
    np.testing.assert_allclose(one.values[0], slab.values[50], atol=1e-6)
    assert one.angles_deg == slab.angles_deg[50]
