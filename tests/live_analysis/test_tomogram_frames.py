"""Damaged frames: what can be repaired is repaired and counted, what cannot is refused with a sentence."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.corrections.broken_pixels import BrokenPixelsError
from live_analysis.corrections.counts_correction import CorrectionSettings, Lean
from live_analysis.corrections.phase import PhaseFilter
from live_analysis.frame_reader import FrameReader
from live_analysis.tomogram_frames import MissingFramesError, TomogramFrames
from operando.model.frames import FrameKind
from operando.model.run_directory import RunDirectory
from simulators.hdf5_writer import Hdf5Writer

ROWS, COLUMNS, NUM_PROJECTIONS = 30, 64, 40
DARK, BEAM = 100.0, 30_000.0
TRUTH = 1.2 * np.sqrt(np.maximum(1 - ((np.arange(COLUMNS) - 31.5) / 24) ** 2, 0))

Counts = dict[FrameKind, NDArray[np.uint16]]


def counts(drift: float = 0.0) -> Counts:
    """A cylinder in air; the beam fades by ``drift`` in the course of the projections."""
    rng = np.random.default_rng(0)
    response = rng.normal(1, 0.05, (ROWS, COLUMNS)) * BEAM
    fading = 1 - drift * np.linspace(0, 1, NUM_PROJECTIONS)[:, None, None]
    through = fading * response * np.exp(-TRUTH)

    def exposed(photons: NDArray[np.float64], num: int) -> NDArray[np.uint16]:
        frames = rng.poisson(np.broadcast_to(photons, (num, ROWS, COLUMNS)))
        return np.round(frames + rng.normal(DARK, 3, frames.shape)).astype(np.uint16)

    nothing = np.zeros((ROWS, COLUMNS))
    return {
        FrameKind.DARK: exposed(nothing, 8),
        FrameKind.FLAT: exposed(response, 12),
        FrameKind.PROJECTION: exposed(through, NUM_PROJECTIONS),
    }


def received(folder: Path, taken: Counts) -> TomogramFrames:
    run = RunDirectory(folder)
    run.frames.mkdir(parents=True)
    for kind, frames in taken.items():
        writer = Hdf5Writer(run.frames_file(1, kind), frames.shape[1:])
        for index, frame in enumerate(frames):
            writer.append(frame, 1e9 + index, index + 1, 4.5 * index)
        writer.close()
    found = TomogramFrames({kind: FrameReader(run.frames_file(1, kind)) for kind in FrameKind})
    while found.poll():
        pass
    return found


def test_broken_pixels_and_zingers_are_repaired_and_counted(tmp_path: Path) -> None:
    taken = counts()
    for counted in taken.values():
        counted[:, 5, 20] = 60_000  # hot
        counted[:, :, 40] = 100  # a dead column
    taken[FrameKind.PROJECTION][7, 12, 30] = 65_535
    taken[FrameKind.PROJECTION][9, 20, 10] += 15_000
    frames = received(tmp_path, taken)
    found = frames.integrals(slice(0, ROWS))
    assert found.num_dead == NUM_PROJECTIONS * (1 + ROWS) + 1, "the saturated pixel of one frame among them"
    assert found.num_zingers == 1
    told = frames.corrections()
    assert (told["num_hot_pixels"], told["num_dead_pixels"]) == (1, ROWS + 1), "the hot one sees no light either"
    assert told["flat"] == "mean flat"
    # One photon in 30,000 behind e^1.2: 1 %. The column of neighbours bends by 2 % of the chord.
    np.testing.assert_allclose(found.values, np.broadcast_to(TRUTH, found.values.shape), atol=0.08)


def test_a_fading_beam_is_followed_in_the_air(tmp_path: Path) -> None:
    frames = received(tmp_path, counts(drift=0.08))
    found = frames.integrals(slice(0, ROWS)).values.mean(axis=1)
    # 0.1 % is the noise of a mean over 30 rows with 1 % each, of the flats and of the air.
    assert np.abs(found.mean(axis=1) - TRUTH.mean()).max() < 3e-3
    assert frames.corrections()["largest_beam_change"] == pytest.approx(0.08, abs=3e-3)


def test_a_cell_that_fills_the_view_leaves_the_fading_beam_as_it_is(tmp_path: Path) -> None:
    frames = received(tmp_path, counts(drift=0.08))
    frames.correct_with(CorrectionSettings(object_of_view=2.0))
    found = frames.integrals(slice(0, ROWS)).values.mean(axis=(1, 2))
    assert found[-1] - found[0] == pytest.approx(-np.log(0.92), abs=4e-3)
    assert "2.0 times as wide as the view" in str(frames.corrections()["beam_intensity"])


@pytest.mark.parametrize("level", [100, 65_535], ids=["without beam", "saturated"])
def test_projections_without_beam_or_saturated_ones_are_left_out_and_counted(tmp_path: Path, level: int) -> None:
    taken = counts()
    taken[FrameKind.PROJECTION][[3, 4, 39]] = level
    frames = received(tmp_path, taken)
    assert frames.num_without_beam == 3
    assert 3 * 4.5 not in frames.angles_deg
    found = frames.integrals(slice(0, ROWS))
    assert found.values.shape == (NUM_PROJECTIONS - 3, ROWS, COLUMNS)
    assert len(frames.angles_deg) == NUM_PROJECTIONS - 3
    assert found.num_dead == 0
    np.testing.assert_allclose(found.values.mean(axis=(0, 1)), TRUTH, atol=5e-3)


def test_no_light_in_any_projection_is_refused(tmp_path: Path) -> None:
    taken = counts()
    taken[FrameKind.PROJECTION][...] = 100
    with pytest.raises(MissingFramesError, match="None of the 40 projections has any light"):
        received(tmp_path, taken).integrals(slice(0, ROWS))


@pytest.mark.parametrize("level", [0, 65_535], ids=["darker than the dark", "saturated"])
def test_flats_that_are_none_are_refused(tmp_path: Path, level: int) -> None:
    taken = counts()
    taken[FrameKind.FLAT][...] = level
    with pytest.raises(BrokenPixelsError, match="Take both anew"):
        received(tmp_path, taken).integrals(slice(0, ROWS))


def test_one_dark_and_one_flat_are_enough(tmp_path: Path) -> None:
    taken = counts()
    taken[FrameKind.DARK], taken[FrameKind.FLAT] = taken[FrameKind.DARK][:1], taken[FrameKind.FLAT][:1]
    found = received(tmp_path, taken).integrals(slice(0, ROWS)).values
    np.testing.assert_allclose(found.mean(axis=(0, 1)), TRUTH, atol=0.01)


def test_some_rows_are_corrected_as_all_of_them(tmp_path: Path) -> None:
    frames = received(tmp_path, counts())
    frames.correct_with(CorrectionSettings(phase=PhaseFilter(1.0, 2.0), lean=Lean(1.0, 14.5, 31.5)))
    whole = frames.integrals(slice(0, ROWS)).values
    part = frames.integrals(slice(13, 16)).values
    np.testing.assert_allclose(part, whole[:, 13:16], atol=2e-4)
    some = frames.integrals(slice(13, 16), slice(5, 8)).values
    np.testing.assert_array_equal(some, part[5:8])
