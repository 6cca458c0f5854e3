"""A potentiostat whose clock is 10 s ahead and 50 ppm fast, read over the wire while a rehearsal jumps through time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from operando.model.clock_fit import ClockFit
from operando.model.clock_track import ClockTrack
from tests.simulators.conftest import running_beamline
from tests.simulators.tiny_beamline import EPOCH_S

Client = Callable[..., dict[str, Any]]
OFFSET_S, DRIFT = 10.0, 50e-6
POLL_S = 1.0
LARGEST_ERROR_S = 0.02
FAULTS = f'[[fault]]\nkind = "potentiostat_clock"\njump = "{OFFSET_S} s"\ndrift_ppm = {1e6 * DRIFT}\n'


def test_offset_and_drift_are_recovered_and_no_sample_is_placed_20_ms_off(tmp_path: Path, client: Client) -> None:
    faults = tmp_path / "faults.toml"
    faults.write_text(FAULTS)
    with running_beamline(tmp_path / "beamline", "", str(faults)) as beamline:
        answer = client("potentiostat_clock.py", beamline)
    assert answer["num_jumps"] == 0
    fits = [ClockFit(**fit) for fit in answer["fits"]]
    for fit in fits:
        assert abs(fit.drift - DRIFT) <= 3 * fit.drift_uncertainty
        assert abs(fit.host_time_s(OFFSET_S) - EPOCH_S) <= 3 * fit.uncertainty_s(OFFSET_S)
    assert fits[-1].drift_uncertainty < 1e-6, "four hours of polls"
    elapsed_s, read_s = np.array(answer["samples"]).T
    made_s = EPOCH_S + (elapsed_s - OFFSET_S) / (1 + DRIFT)
    assert np.abs(ClockTrack(fits).made_s(elapsed_s, read_s) - made_s).max() < LARGEST_ERROR_S
    assert np.all((read_s - made_s > -LARGEST_ERROR_S) & (read_s - made_s < POLL_S + LARGEST_ERROR_S))
    assert np.ptp(read_s - made_s) > 5 * LARGEST_ERROR_S, "times of reading would not do"
