"""Segmented electrodes of others: fractions and connections are those that scikit-image counts."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import measure

from live_analysis.segmentation.connectivity import phase_connectivity
from live_analysis.segmentation.phase_analysis import PhaseRequest, analyse_phases, label_values
from live_analysis.segmentation.volume_files import open_volume
from live_analysis.segmentation.volume_source import VolumeSource

DATA = Path(__file__).parents[3] / "shared" / "data"
VOLUMES = ("nmc-volume/nmc-1-cal.tif", "electrode-volume/electrode.tiff")
PART = slice(0, 96)  # layers, of 251 and 256: connections of all of them take scikit-image long


@pytest.fixture(params=VOLUMES, ids=lambda name: name.split("/")[0])
def source(request: pytest.FixtureRequest) -> VolumeSource:
    if not (DATA / request.param).is_file():
        pytest.skip(f"the recorded volume is not at {DATA / request.param}")
    return open_volume(DATA / request.param)


def test_fractions_of_the_three_phases_are_those_of_the_file(source: VolumeSource) -> None:
    values = source.read(0, source.shape[0])
    counts = np.bincount(values.ravel())
    found = analyse_phases(source, PhaseRequest(3, None), lambda stage, done: None)
    assert found.fractions.fractions == pytest.approx(counts[counts > 0] / values.size, abs=1e-12)
    assert label_values(source, 8, lambda stage, done: None) == pytest.approx(np.flatnonzero(counts))


def test_connections_are_those_of_scikit_image(source: VolumeSource) -> None:
    values = source.read(PART.start, PART.stop)
    phases = np.searchsorted(np.unique(values), values).astype(np.uint8)
    for index, found in enumerate(phase_connectivity(phases, 3)):
        labels, num = measure.label(phases == index, connectivity=1, return_num=True)
        assert found.num_components == num
        for axis in range(3):
            assert found.through[axis] == through(labels, axis)
        assert found.largest[0] == np.bincount(labels.ravel())[1:].max()


def through(labels: NDArray[np.int64], axis: int) -> float:
    """Part of the labelled voxels whose component touches both faces across an axis."""
    faces = np.moveaxis(labels, axis, 0)[[0, -1]]
    both = np.setdiff1d(np.intersect1d(faces[0], faces[1]), 0)
    return float(np.isin(labels, both).sum() / (labels > 0).sum())
