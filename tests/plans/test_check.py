from pathlib import Path
from typing import Any

import pytest

from operando.model.beamline import Beamline
from operando.model.experiment import Experiment
from operando.model.experiment_file import load_experiment
from plans.check import check

ROOT = Path(__file__).parents[2]
BEAMLINE: dict[str, Any] = {
    "name": "test",
    "channel_access": {"instruments": ["127.0.0.1:20000"], "guard_port": 20001, "results_port": 20002},
    "rotation_stage": {"prefix": "r"},
    "sample_x": {"prefix": "x"},
    "shutter": {"prefix": "s"},
    "camera": {"prefix": "c", "chip_columns": 4008, "chip_rows": 2672, "min_frame_period_s": 0.1},
    "potentiostat": {"prefix": "p", "channel": 0, "max_current_a": 1e-3},
    "load_cell": {
        "port": "/dev/ttyS0", "full_scale_n": 2000.0,
        "calibration": {"id": "a", "date": "2026-01-01", "counts": [0, 1], "force_n": [0, 1]},
    },
    "temperature": {"pv": "t"}, "ring_current": {"pv": "i"}, "guard": {"prefix": "g"}, "results": {"prefix": "a"},
}  # fmt: skip


@pytest.fixture(scope="module")
def cus() -> Experiment:
    return load_experiment(ROOT / "experiments/cus_26mpa.toml")


def beamline(**changes: dict[str, Any]) -> Beamline:
    return Beamline.model_validate({**BEAMLINE, **{key: {**BEAMLINE[key], **value} for key, value in changes.items()}})


def test_the_copper_sulfide_experiment_is_allowed_with_its_known_figures(cus: Experiment) -> None:
    found = check(cus, "full", beamline(), disk_free_bytes=10**12)
    assert found.refusals == ()
    # 2256 projections of 0.7 s at 50 mA/g, as in cycle 50, are 21.9 mAh/g of the published 507.
    assert found.largest_drift == pytest.approx(0.0433, abs=5e-5)
    assert [step.num_tomograms for step in found.timeline] == [1, 3, 2, *[0] * 96, 1, 1]
    assert found.timeline[1].begin_s == pytest.approx(24 * 3600 + found.tomogram_s)
    assert found.timeline[1].duration_s == pytest.approx(56.1 * 3600 + 3 * found.tomogram_s, rel=1e-3)  # 561 / 10 h
    assert found.raw_bytes == 8 * 2316 * 1932 * 256 * 2
    assert found.noise_per_projection == pytest.approx(2e4**-0.5)


@pytest.mark.parametrize(
    ("changes", "free", "says"),
    [
        ({"camera": {"chip_columns": 2000}}, 10**12, "the chip has 2000 columns"),
        ({"camera": {"min_frame_period_s": 1.0}}, 10**12, "the camera needs at least 1 s"),
        ({"potentiostat": {"max_current_a": 1e-6}}, 10**12, "more than the potentiostat's range, 1 uA"),
        ({}, 10**6, "0.001 GB are free"),
    ],
)
def test_what_cannot_work_is_refused_with_the_numbers(
    cus: Experiment, changes: dict[str, Any], free: int, says: str
) -> None:
    found = check(cus, "quick", beamline(**changes), disk_free_bytes=free)
    assert any(says in refusal for refusal in found.refusals), found.refusals


@pytest.mark.parametrize(
    ("sampling", "stale_s", "says"),
    [
        ({"between_tomograms": 6.0}, 5.0, ["sampling.between_tomograms is 6 s", "silent for 5 s"]),
        ({"in_tomogram": 6.0}, 5.0, ["sampling.in_tomogram is 6 s", "silent for 5 s"]),
        ({"between_tomograms": 6.0}, 6.0, []),
    ],
)
def test_sampling_that_shows_no_silence_in_time_is_refused_at_a_beamline_only(
    cus: Experiment, sampling: dict[str, float], stale_s: float, says: list[str]
) -> None:
    rarely = cus.model_copy(
        update={
            "sampling": cus.sampling.model_copy(update=sampling),
            "limits": cus.limits.model_copy(update={"stale_potentiostat": stale_s}),
        }
    )
    found = check(rarely, "quick", beamline(), disk_free_bytes=10**12)
    assert len(found.refusals) == bool(says)
    assert all(part in refusal for refusal in found.refusals for part in says)
    simulated = beamline().model_copy(update={"rehearsal": True})
    assert check(rarely, "quick", simulated, disk_free_bytes=10**12).refusals == ()


def test_too_few_projections_are_said_but_not_refused(cus: Experiment) -> None:
    found = check(cus, "quick", beamline(), disk_free_bytes=10**12)
    assert found.refusals == ()
    assert any("360 projections are fewer than the 1005" in sentence for sentence in found.sentences)
