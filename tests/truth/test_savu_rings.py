"""Slices of a recorded scan beside those of algotom and ASTRA: the same sample, fewer rings."""

from pathlib import Path

import pytest

from benchmarks.savu import RECONSTRUCTIONS, Slices, correlations, read_scan, rings

SCAN = Path(__file__).parents[3] / "shared" / "data" / "savu-tomogram"


@pytest.fixture(scope="module")
def found() -> dict[str, Slices]:
    if not SCAN.is_dir():
        pytest.skip(f"the recorded scan is not at {SCAN}")
    pytest.importorskip("astra", reason="the astra toolbox is not installed")
    scan = read_scan(SCAN)
    return {name: reconstruct(scan) for name, reconstruct in RECONSTRUCTIONS.items()}


@pytest.mark.parametrize("peer", ["ASTRA FBP", "algotom fbp"])
def test_the_slices_are_those_of_others_with_fewer_rings(found: dict[str, Slices], peer: str) -> None:
    assert correlations(found["ours"], found[peer]).min() > 0.97
    assert (rings(found["ours"]) < rings(found[peer])).all()
    assert rings(found["ours"]).mean() < 0.9 * rings(found[peer]).mean()  # edges of the sample are part of it


def test_removing_stripes_changes_nothing_but_rings(found: dict[str, Slices]) -> None:
    assert correlations(found["ours"], found["ours, stripes kept"]).min() > 0.998


def test_stripe_removal_of_others_does_not_give_fewer_rings(found: dict[str, Slices]) -> None:
    theirs = found["algotom fbp, remove_all_stripe"]
    assert rings(found["ours"]).mean() < rings(theirs).mean()
