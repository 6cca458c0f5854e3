"""Segmented electrodes of others: fractions and connections are those that scikit-image, cc3d and porespy count."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import measure

from live_analysis.segmentation.component_moments import moments_of_components
from live_analysis.segmentation.connectivity import phase_connectivity
from live_analysis.segmentation.labelling import Components, connected_runs, painted
from live_analysis.segmentation.phase_analysis import PhaseRequest, analyse_phases, label_values
from live_analysis.segmentation.phase_fractions import phase_fractions
from live_analysis.segmentation.runs import find_runs
from live_analysis.segmentation.volume_files import open_volume
from live_analysis.segmentation.volume_source import VolumeSource

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
VOLUMES = ("nmc-volume/nmc-1-cal.tif", "electrode-volume/electrode.tiff")
PART = slice(0, 40)  # layers, of 251 and 256: one phase of each goes through along one axis and not along another
NEIGHBOURS = (6, 18, 26)
ROUNDING = 1e-12  # numbers of voxels divided by numbers of voxels


@pytest.fixture(params=VOLUMES, ids=lambda name: name.split("/")[0])
def source(request: pytest.FixtureRequest) -> VolumeSource:
    if not (DATA / request.param).is_file():
        pytest.skip(f"the recorded volume is not at {DATA / request.param}")
    return open_volume(DATA / request.param)


def test_fractions_of_the_three_phases_are_those_of_the_file(source: VolumeSource) -> None:
    values = source.read(0, source.shape[0])
    counts = np.bincount(values.ravel())
    found = analyse_phases(source, PhaseRequest(3, None), lambda stage, done: None)
    assert found.fractions.fractions == pytest.approx(counts[counts > 0] / values.size, abs=ROUNDING)
    assert label_values(source, 8, lambda stage, done: None) == pytest.approx(np.flatnonzero(counts))


@pytest.mark.parametrize("connectivity", NEIGHBOURS)
def test_connections_are_those_of_scikit_image(source: VolumeSource, connectivity: int) -> None:
    phases = phases_of(source, PART)
    for index, found in enumerate(phase_connectivity(phases, 3, connectivity=connectivity)):
        order = NEIGHBOURS.index(connectivity) + 1
        labels, num = measure.label(phases == index, connectivity=order, return_num=True)
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        faces = [[np.unique(face) for face in np.moveaxis(labels, axis, 0)[[0, -1]]] for axis in range(3)]
        assert found.num_components == num
        assert found.largest[0] == sizes.max()
        for axis, (first, last) in enumerate(faces):
            parts = (found.through[axis], found.from_first[axis], found.from_last[axis])
            ends = (np.intersect1d(first, last), np.setdiff1d(first, last), np.setdiff1d(last, first))
            assert parts == pytest.approx([sizes[numbers].sum() / sizes.sum() for numbers in ends], abs=ROUNDING)
        touching = np.unique(np.concatenate([face for pair in faces for face in pair]))
        assert found.isolated == pytest.approx(1 - sizes[touching].sum() / sizes.sum(), abs=ROUNDING)


def test_every_component_of_the_whole_volume_is_one_of_cc3d(source: VolumeSource) -> None:
    cc3d = pytest.importorskip("cc3d", reason="cc3d (connected-components-3d) is not installed to compare with")
    phases = phases_of(source, slice(0, source.shape[0]))
    for connectivity in NEIGHBOURS:
        ours = connected_runs(find_runs(phases, 255), connectivity)
        theirs, num = cc3d.connected_components(phases + np.uint8(1), connectivity=connectivity, return_N=True)
        same = counterparts(ours, theirs, num)
        moments = moments_of_components(ours)
        statistics = cc3d.statistics(theirs)
        assert np.array_equal(moments.sizes, statistics["voxel_counts"][same])
        assert np.allclose(moments.centroids, statistics["centroids"][same], rtol=0, atol=1e-9)  # voxels, of rounding
        boxes = [statistics["bounding_boxes"][number] for number in same]
        ends = [[end for side in box for end in (side.start, side.stop - 1)] for box in boxes]
        assert np.array_equal(moments.ends, ends)


@pytest.mark.parametrize(("connectivity", "name"), [(6, "min"), (26, "max")])
def test_what_goes_through_is_what_porespy_leaves(source: VolumeSource, connectivity: int, name: str) -> None:
    porespy = pytest.importorskip("porespy", minversion="3.2", reason="porespy is not installed to compare with")
    phases = phases_of(source, PART)
    assert list(porespy.metrics.phase_fraction(phases).values()) == pytest.approx(
        phase_fractions(phases, 3).fractions, abs=ROUNDING
    )
    for index, found in enumerate(phase_connectivity(phases, 3, connectivity=connectivity)):
        mask, filters = phases == index, porespy.filters
        closed = filters.find_disconnected_voxels(mask, conn=name)
        assert found.isolated == pytest.approx(closed.sum() / mask.sum(), abs=ROUNDING)
        for axis in range(3):
            going = filters.trim_nonpercolating_paths(mask, axis=axis, conn=name).sum() / mask.sum()
            assert found.through[axis] == pytest.approx(going, abs=ROUNDING)
            for face, dead_ends in ((0, found.from_first), (-1, found.from_last)):
                inlets = np.zeros_like(mask)
                np.moveaxis(inlets, axis, 0)[face] = True
                unreached = filters.find_disconnected_voxels(mask, inlets=inlets, conn=name).sum() / mask.sum()
                assert dead_ends[axis] == pytest.approx(1 - unreached - going, abs=ROUNDING)


def test_the_page_tells_what_is_found(source: VolumeSource) -> None:
    phases = phases_of(source, slice(0, source.shape[0]))
    fractions = phase_fractions(phases, 3).fractions
    by_neighbours = [phase_connectivity(phases, 3, connectivity=connectivity) for connectivity in NEIGHBOURS]
    page = (ROOT / "docs" / "segmentation.md").read_text(encoding="utf-8").splitlines()
    for index, found in enumerate(zip(*by_neighbours, strict=True)):
        assert all(len(set(one.through)) == 1 for one in found)
        columns = [
            source.name,
            f"{index + 1}",
            f"{100 * fractions[index]:.3f}",
            " / ".join(f"{one.num_components}" for one in found),
            " / ".join(f"{100 * one.through[0]:.2f}" for one in found),
            " / ".join(f"{100 * one.isolated:.3f}" for one in found),
        ]
        assert f"| {' | '.join(columns)} |" in page


def phases_of(source: VolumeSource, layers: slice) -> NDArray[np.uint8]:
    values = source.read(layers.start, layers.stop)
    phase_of_value = np.cumsum(np.bincount(values.ravel()) > 0) - 1
    phases: NDArray[np.uint8] = phase_of_value.astype(np.uint8)[values]
    return phases


def counterparts(ours: Components, theirs: NDArray[np.integer], num: int) -> NDArray[np.int64]:
    """Return the number of each of our components among theirs, which must be the same voxels."""
    assert ours.num_components == num
    labels = painted(ours)
    same = np.zeros(num + 1, np.int64)
    same[labels.ravel()] = theirs.ravel()
    assert np.array_equal(same[labels], theirs)
    assert np.array_equal(np.sort(same), np.arange(num + 1))
    return same[1:]
