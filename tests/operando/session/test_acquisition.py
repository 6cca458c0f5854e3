"""A cell is opened, or a person told, also where no plan came so far."""

from pathlib import Path

from operando.session.acquisition import open_circuit
from tests.support.laboratory import new_laboratory


def test_the_circuit_is_opened_outside_of_any_run_or_the_reason_told(tmp_path: Path) -> None:
    laboratory = new_laboratory(tmp_path)
    assert open_circuit(laboratory.engine, laboratory.cell, laboratory.clock) == ""
    assert laboratory.cell.commands[-1][0] == "open_circuit"
    laboratory.cell.is_gone = True
    said = open_circuit(laboratory.engine, laboratory.cell, laboratory.clock)
    assert said == "Open circuit could not be verified: it does not answer"
    assert laboratory.documents == []
