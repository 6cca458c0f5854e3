from dataclasses import replace
from pathlib import Path

import numpy as np

from operando.model.preview_slices import PreviewSlices, write_preview
from operando.model.run_directory import RunDirectory
from operando.monitor.inside.run_window import RunWindow
from tests.monitor.inside.states import tomogram


def preview(brightest: float) -> PreviewSlices:
    plane = np.linspace(0, brightest, 100, dtype=np.float32).reshape(10, 10)
    return PreviewSlices("OCV", "u", plane, plane, plane, 5, 5, 5, 7.0, 360, 360, 1.0, True, True)


def test_the_window_widens_until_it_holds_all_finished_states_and_never_narrows(tmp_path: Path) -> None:
    run, states = RunDirectory(tmp_path), tuple(tomogram(f"S{number}", number) for number in (1, 2, 3))
    for number, brightest in {1: 9.9, 2: 49.0, 3: 19.0}.items():
        write_preview(run.preview(number), preview(brightest))
    window = RunWindow(run)
    whites, holds_all = [], []
    for _ in range(4):
        found = window.window(states, "1/cm")
        assert found is not None
        whites.append(found.white_per_cm)
        holds_all.append(window.holds_all)
    assert whites == [10.0, 50.0, 50.0, 50.0]
    assert holds_all == [False, False, False, True]
    assert window.window(states, "1/voxel") is None


def test_streaks_of_unfinished_or_partial_tomograms_do_not_widen_it(tmp_path: Path) -> None:
    run, states = RunDirectory(tmp_path), tuple(tomogram(f"S{number}", number) for number in (1, 2, 3))
    write_preview(run.preview(1), preview(9.9))
    write_preview(run.preview(2), replace(preview(900.0), complete=False))
    write_preview(run.preview(3), replace(preview(900.0), coverage=0.5))
    window = RunWindow(run)
    for _ in range(4):
        found = window.window(states, "1/cm")
    assert found is not None
    assert found.white_per_cm == 10.0
    write_preview(run.preview(2), preview(49.0))  # the analysis has finished it
    found = window.window(states, "1/cm")
    assert found is not None
    assert found.white_per_cm == 50.0
