"""Which earlier state a tomogram is compared with, and when with none."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from live_analysis.earlier_states import EarlierStates
from live_analysis.region_file import RegionState, write_region
from live_analysis.states.placed_volume import StateError
from operando.model.run_directory import RunDirectory

CORE = (slice(1, 3), slice(1, 3), slice(1, 3))


def region(tomogram: str, run_uid: str = "") -> RegionState:
    return RegionState(np.full((4, 4, 4), 2, np.float32), CORE, 0, 4, 3.52, tomogram, run_uid or tomogram)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """A run whose first tomogram was taken twice."""
    run = RunDirectory(tmp_path)
    documents = [["start", {"uid": "outer", "kind": "experiment"}]]
    for attempt, name in enumerate(("OCV", "OCV", "D1.7V", "D0.7V"), start=1):
        documents.append(["start", {"uid": str(attempt), "kind": "tomogram", "tomogram": name}])
        write_region(run.volume(attempt), region(name, str(attempt)))
    run.documents.write_text("".join(json.dumps(line) + "\n" for line in documents))
    return run


def test_the_last_attempt_at_the_first_tomogram_is_the_pristine_state(run: RunDirectory) -> None:
    pristine = EarlierStates(run).pristine(region("D0.7V"), 4, None)
    assert pristine is not None
    assert pristine.state.run_uid == "2"


def test_a_retaken_first_tomogram_is_pristine_itself(run: RunDirectory) -> None:
    assert EarlierStates(run).pristine(region("OCV"), 2, None) is None


def test_a_pristine_state_that_is_lost_is_replaced_by_no_other(run: RunDirectory) -> None:
    file = run.volume(2) / "region.h5"
    file.write_bytes(file.read_bytes()[:500])
    pristine = EarlierStates(run).pristine(region("D0.7V"), 4, None)
    assert pristine is not None
    assert pristine.state.run_uid == "1"  # the attempt before
    (run.volume(1) / "region.h5").unlink()
    with pytest.raises(StateError, match="no region of OCV"):
        EarlierStates(run).pristine(region("D0.7V"), 4, None)
    with pytest.raises(StateError, match="no region of OCV"):
        EarlierStates(run).pristine(region("D1.7V"), 3, None)


def test_states_on_other_scales_or_voxels_are_not_compared(run: RunDirectory) -> None:
    with pytest.raises(StateError, match="same camera"):
        EarlierStates(run).pristine(replace(region("D0.7V"), voxel_size_um=1.76), 4, None)
    write_region(run.volume(2), replace(region("OCV"), absolute=False))
    with pytest.raises(StateError, match="not absolute"):
        EarlierStates(run).pristine(region("D0.7V"), 4, None)


def test_without_documents_the_first_region_is_that_of_the_pristine_state(run: RunDirectory) -> None:
    run.documents.unlink()
    pristine = EarlierStates(run).pristine(region("D0.7V"), 4, None)
    assert pristine is not None
    assert pristine.state.tomogram == "OCV"
    assert EarlierStates(run).pristine(region("OCV"), 1, None) is None
