"""Flats before and after the projections together take a drifting beam out of each projection by its time."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from live_analysis.frame_reader import FrameReader
from live_analysis.normalisation import FlatFractionError
from live_analysis.nxtomo import write_nxtomo
from live_analysis.run_follower import TomogramRun
from live_analysis.tomogram_frames import TomogramFrames
from operando.model.frames import FrameKind
from operando.model.run_directory import RunDirectory
from simulators.hdf5_writer import Hdf5Writer

ROWS, COLUMNS, NUM_PROJECTIONS = 8, 12, 20
DARK, FIRST_BEAM, LAST_BEAM, TRANSMISSION = 100, 40_000.0, 20_000.0, 0.5
NUM_FRAMES = {FrameKind.DARK: 2, FrameKind.FLAT: 3, FrameKind.PROJECTION: NUM_PROJECTIONS, FrameKind.FLAT_AFTER: 3}


def write(run: RunDirectory, *kinds: FrameKind, after_begins_s: float = 30.0) -> None:
    """Write frames of one a second while the beam falls linearly from 0 to 33 s."""
    begins_s = {FrameKind.DARK: -5.0, FrameKind.FLAT: 0.0, FrameKind.PROJECTION: 5.0}
    begins_s[FrameKind.FLAT_AFTER] = after_begins_s
    run.frames.mkdir(parents=True)
    for kind in kinds:
        writer = Hdf5Writer(run.frames_file(1, kind), (ROWS, COLUMNS))
        for index in range(NUM_FRAMES[kind]):
            time_s = begins_s[kind] + index
            beam = FIRST_BEAM + (LAST_BEAM - FIRST_BEAM) * time_s / 33.0
            part = {FrameKind.DARK: 0.0, FrameKind.PROJECTION: TRANSMISSION}.get(kind, 1.0)
            counts = np.full((ROWS, COLUMNS), round(DARK + part * beam), np.uint16)
            writer.append(counts, 1e9 + time_s, index + 1, 9.0 * index)
        writer.close()


def received(run: RunDirectory) -> TomogramFrames:
    frames = TomogramFrames({kind: FrameReader(run.frames_file(1, kind)) for kind in FrameKind})
    while frames.poll():
        pass
    return frames


def test_the_drift_of_the_beam_is_gone_from_every_projection(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    write(run, *FrameKind)
    values = received(run).integrals(slice(0, ROWS)).values
    assert values.shape == (NUM_PROJECTIONS, ROWS, COLUMNS)
    assert values == pytest.approx(-np.log(TRANSMISSION), abs=2e-4), "unitless; counts are whole numbers of 1e4"


def test_without_flats_after_the_drift_stays(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    write(run, FrameKind.DARK, FrameKind.FLAT, FrameKind.PROJECTION)
    values = received(run).integrals(slice(0, ROWS)).values.mean(axis=(1, 2))
    assert values[-1] - values[0] > 0.3


def test_flats_that_do_not_enclose_the_projections_are_refused(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    write(run, *FrameKind, after_begins_s=10.0)
    with pytest.raises(FlatFractionError, match="not exposed between its flats"):
        received(run).integrals(slice(0, ROWS))


def test_the_nxtomo_shows_the_frames_in_the_order_in_which_they_were_taken(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    write(run, *FrameKind)
    start = {"uid": "u", "time": 0.0, "kind": "tomogram", "tomogram": "T", "attempt": 1}
    with h5py.File(write_nxtomo(run, TomogramRun(start), title="t")) as file:
        detector = file["/entry/instrument/detector"]
        assert detector["image_key"][...].tolist() == [2] * 2 + [1] * 3 + [0] * NUM_PROJECTIONS + [1] * 3
        assert (np.diff(detector["time_stamp"][...]) > 0).all()
