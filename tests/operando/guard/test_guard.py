from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.operando.guard.conftest import World


def test_a_step_runs_holds_and_ends_by_itself(guarded: World) -> None:
    found = guarded.wait_state("OPEN_CIRCUIT")
    assert abs(found["pressure"] - 735.1 / 28.274) < 1e-2
    arguments = {"step": "discharge", "current_a": -90e-6, "until_voltage_v": 1.8, "max_duration_s": 60.0}
    assert guarded.command("constant_current", hold="constant_voltage", max_hold_s=1.0, **arguments) == "done"
    assert guarded.wait_state("RUNNING", "HOLDING")["step"] == "discharge"
    guarded.wait_state("HOLDING")
    guarded.wait_state("STEP_ENDED")
    assert [event["text"] for event in guarded.events("step_ended")] == ["Step 'discharge' ended by itself."]
