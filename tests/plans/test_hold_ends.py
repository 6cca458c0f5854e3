"""A hold that ends while a tomogram is taken: nothing is complete under a voltage that the cell no longer has."""

from pathlib import Path

import pytest

from operando.model.outcome import Outcome
from tests.support.laboratory import new_laboratory


@pytest.mark.parametrize("after_s", [0.5, 12.0])
def test_a_tomogram_whose_hold_ends_is_partial_and_not_taken_again(tmp_path: Path, after_s: float) -> None:
    for folder in ("undisturbed", "disturbed"):
        (tmp_path / folder).mkdir()
    undisturbed = new_laboratory(tmp_path / "undisturbed")
    undisturbed.run()
    began_s = next(line["time"] for line in undisturbed.journal() if line.get("name") == "D1.7V")
    laboratory = new_laboratory(tmp_path / "disturbed")
    laboratory.clock.at(began_s + after_s, lambda: laboratory.cell.state.put("STEP_ENDED"))
    end = laboratory.run()
    outcomes = [line["outcome"] for line in laboratory.journal() if line.get("name") == "D1.7V" and "outcome" in line]
    assert outcomes == ["partial"]
    reasons = [event["reason"] for event in laboratory.events("outcome") if event["outcome"] == "partial"]
    assert any("was held when the tomogram began" in reason for reason in reasons)
    assert end.outcome is not Outcome.COMPLETE
