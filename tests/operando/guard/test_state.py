from dataclasses import replace

import pytest

from devices.potentiostat_reading import ChannelState, Snapshot
from operando.guard.state import Step, cell_state, limit_was_missed
from operando.model.cell_state import CellState

SNAPSHOT = Snapshot(
    voltage_v=1.7,
    current_a=-1e-5,
    elapsed_s=1000.0,
    state=ChannelState.RUN,
    technique_index=0,
    overflow=False,
    charge_mah=None,
    time_s=0.0,
)
PAIR = Step("discharge", holds=True, max_duration_s=500.0, started_elapsed_s=600.0)


@pytest.mark.parametrize(
    ("state", "index", "step", "expected"),
    [
        (ChannelState.STOP, 0, None, CellState.OPEN_CIRCUIT),
        (ChannelState.STOP, 1, PAIR, CellState.STEP_ENDED),
        (ChannelState.RUN, 0, PAIR, CellState.RUNNING),
        (ChannelState.RUN, 1, PAIR, CellState.HOLDING),
        (ChannelState.RUN, 1, replace(PAIR, holds=False), CellState.RUNNING),
        (ChannelState.RUN, 1, None, CellState.RUNNING),
        (ChannelState.PAUSE, 0, PAIR, CellState.RUNNING),
    ],
)
def test_the_state_follows_instrument_and_step(
    state: ChannelState, index: int, step: Step | None, expected: CellState
) -> None:
    assert cell_state(replace(SNAPSHOT, state=state, technique_index=index), step) is expected


@pytest.mark.parametrize(("elapsed_s", "missed"), [(1099.0, False), (1100.0, True), (1200.0, True)])
def test_a_hold_after_the_whole_duration_counts_as_unreached(elapsed_s: float, missed: bool) -> None:
    assert limit_was_missed(replace(SNAPSHOT, elapsed_s=elapsed_s), PAIR) is missed
