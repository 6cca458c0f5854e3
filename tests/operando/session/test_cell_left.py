"""Nobody leaves a run without being told of a cell that is not at open circuit."""

from pathlib import Path

import pytest

from operando.model.cell_log import CellLogWriter
from operando.model.process_files import write_pid_file
from operando.model.run_directory import RunDirectory
from operando.session.cell_left import NOT_SAFE, words_of_cell


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory(tmp_path)


def test_of_a_cell_at_open_circuit_nothing_is_said(run: RunDirectory) -> None:
    for guard_pid in (None, 7):
        assert words_of_cell(run, is_safe=True, stays=False, guard_pid=guard_pid, longest_alone_s=None) == ""


def test_a_cell_that_was_left_cycling_is_told_with_how_to_end_it(run: RunDirectory) -> None:
    said = words_of_cell(run, is_safe=True, stays=True, guard_pid=7, longest_alone_s=None)
    assert said.startswith("The cell goes on under the guard, process 7.")
    assert NOT_SAFE not in said


def test_a_cell_that_is_not_safe_is_told_with_whoever_goes_on_trying(run: RunDirectory) -> None:
    for tell, whether in ((False, "was not heard to try"), (True, "goes on trying")):
        log = CellLogWriter(run.cell_log)
        if tell:
            log.event("trip", "not obeyed", time_s=1.0, wall_s=1.0)
            log.commit()
        log.close()
        said = words_of_cell(run, is_safe=False, stays=True, guard_pid=7, longest_alone_s=None)
        assert said.startswith(f"{NOT_SAFE}; the guard {whether}. Look at the instrument. The cell goes on under")


@pytest.mark.parametrize(("is_safe", "words"), [(False, NOT_SAFE), (True, "The cell goes on")])
def test_a_cell_without_a_guard_is_told_with_how_to_guard_it_again(
    run: RunDirectory, is_safe: bool, words: str
) -> None:
    said = words_of_cell(run, is_safe=is_safe, stays=True, guard_pid=None, longest_alone_s=None)
    assert said.startswith(f"{words}, and no guard is left: only the technique's own limits protect the cell.")
    assert f"'operando guard {run.path}' guards it again" in said


def test_a_simulated_cell_ends_with_its_beamline(run: RunDirectory) -> None:
    gone = words_of_cell(run, is_safe=False, stays=False, guard_pid=None, longest_alone_s=600.0)
    assert gone == "The simulated beamline is gone, and its cell with it."
    write_pid_file(run.processes, "simulator")
    said = words_of_cell(run, is_safe=False, stays=False, guard_pid=None, longest_alone_s=600.0)
    assert said == f"{NOT_SAFE}, and no guard is left. It is simulated, and ends with its beamline."
