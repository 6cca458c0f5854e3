"""What setup compiled is what volumes of all kinds need."""

from pathlib import Path

import numpy as np
import pytest

from live_analysis.segmentation.phase_analysis import PhaseRequest, analyse_phases
from live_analysis.segmentation.volume_files import open_volume
from live_analysis.segmentation.warm_up import warm_up
from tests.support.compiled_kinds import compiled_kinds

PACKAGE = "live_analysis.segmentation"


@pytest.mark.parametrize("kind", ["u1", ">u2", "<i4", "f2", "f4", "f8"])
def test_phases_of_a_volume_need_no_kernel_that_was_not_warmed_up(tmp_path: Path, kind: str) -> None:
    warm_up()
    before = compiled_kinds(PACKAGE)
    values = np.random.default_rng(1).normal(100, 5, (5, 6, 7))
    values[2:] += 100
    np.save(tmp_path / "volume.npy", values.astype(kind))
    source = open_volume(tmp_path / "volume.npy")
    found = analyse_phases(
        source, PhaseRequest(2, (1.0, 1.0, 2.0), axis=1, connectivity=26, median=True), lambda *_: None
    )
    assert found.fractions.fractions == pytest.approx([0.4, 0.6], abs=0.2)
    analyse_phases(source, PhaseRequest(2, None), lambda *_: None)
    assert compiled_kinds(PACKAGE) == before
