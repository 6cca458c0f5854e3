"""What was done to the counts stands in the results: a person need not guess what a grey value rests on."""

import threading
from pathlib import Path

import h5py
import numpy as np
import pytest

from live_analysis.analyse import analyse
from live_analysis.results import read_measurements
from operando.model.experiment_file import load_experiment
from operando.model.frames import FrameKind
from operando.model.measurement import Measurement
from operando.model.toml_file import FileFormatError
from tests.support.phantom_run import COPPER_UM3, PhantomRun

PHASE = '\n[analysis.phase_retrieval]\ndelta_over_beta = 200\ndistance = "20 mm"\n'


def measured(faked: PhantomRun) -> dict[str, Measurement]:
    analyse(faked.run.path, follow=False, again=False, stop=threading.Event(), report=lambda sentence: None)
    return {entry.name: entry for entry in read_measurements(faked.run.results)}


def test_hot_and_dead_pixels_and_lost_beam_change_the_copper_little_and_are_told(tmp_path: Path) -> None:
    faked = PhantomRun(tmp_path / "run")
    faked.complete("OCV", 1)
    rng = np.random.default_rng(0)
    rows, columns = rng.integers(0, 64, 40), rng.integers(0, 96, 40)
    for kind in (FrameKind.DARK, FrameKind.FLAT, FrameKind.PROJECTION):
        with h5py.File(faked.run.frames_file(1, kind), "r+") as file:
            images = file["/entry/data/data"]
            broken = images[()]
            broken[:, rows[:20], columns[:20]] = 65_000
            broken[:, rows[20:], columns[20:]] = 100
            if kind is FrameKind.PROJECTION:
                broken[30] = 100
            images[...] = broken
    values = measured(faked)
    repaired = values["repaired_pixels"]
    details = repaired.details
    assert details["num_hot_pixels"] == 20
    assert details["num_frames_without_beam"] == 1
    assert details["num_repaired"] == 40 * 89
    assert repaired.value == pytest.approx(40 / (64 * 96), rel=5e-3)  # and some pixels beside sharp edges
    assert "partial" in repaired.flags
    assert details["flat"] == "mean flat"
    assert values["high_attenuation_volume"].value == pytest.approx(COPPER_UM3, rel=0.05)


def test_phase_retrieval_is_off_by_default_and_flagged_at_every_value_of_the_picture(tmp_path: Path) -> None:
    plain, phased = PhantomRun(tmp_path / "plain"), PhantomRun(tmp_path / "phased")
    text = phased.run.experiment.read_text(encoding="utf-8")
    phased.run.experiment.write_text(text + PHASE, encoding="utf-8")
    for faked in (plain, phased):
        faked.complete("OCV", 1)
    before, after = measured(plain), measured(phased)
    assert not any("phase_retrieved" in entry.flags for entry in before.values())
    assert "phase_retrieval" not in before["repaired_pixels"].details
    for name in ("rotation_axis", "high_attenuation_volume", "repaired_pixels"):
        assert "phase_retrieved" in after[name].flags
    told = after["repaired_pixels"].details["phase_retrieval"]
    assert told == "delta / beta 200, 20 mm: grey values hold for a material of this ratio"
    # Root of 20 mm x 200 x 0.35 angstrom / 4 pi is 3.4 um: a third of a pixel, which blurs pictures without fringes.
    assert after["high_attenuation_volume"].value != before["high_attenuation_volume"].value


def test_a_wrong_phase_retrieval_is_refused_with_its_place_in_the_file(tmp_path: Path) -> None:
    faked = PhantomRun(tmp_path / "run")
    text = faked.run.experiment.read_text(encoding="utf-8")
    for wrong, said in (
        (PHASE.replace('"20 mm"', "20"), r"analysis.phase_retrieval.distance = 20: .*has no unit"),
        (PHASE.replace("delta_over_beta = 200\n", ""), "analysis.phase_retrieval: phase_retrieval needs either"),
        (PHASE.replace("delta_over_beta = 200", 'material = "kryptonite"'), "'kryptonite' is no known material"),
    ):
        faked.run.experiment.write_text(text + wrong, encoding="utf-8")
        with pytest.raises(FileFormatError, match=said):
            load_experiment(faked.run.experiment)
