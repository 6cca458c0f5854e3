"""A short campaign of faults, and that its invariants notice what must not be."""

import itertools
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from campaigns.fault_classes import AT_FRAMES, CLASSES
from campaigns.fault_invariants import Evidence, broken_invariants
from campaigns.fault_plan import PlannedFault, num_faults, planned_faults
from campaigns.fault_reactions import reactions
from campaigns.fault_run import DisturbedRun, run_disturbed
from campaigns.witness import Witness
from operando.model.cell_log import CellLogWriter
from operando.model.frames import FRAME_IDS, IMAGES, FrameKind
from operando.model.json_lines import read_json_lines
from operando.model.run_directory import RunDirectory
from simulators.faults.fault_file import fault_from

FAULTS = [
    PlannedFault("guard killed", 0.2, role="guard"),
    PlannedFault("lost frames", 1.0, {"kind": "lost_frames", "at": "projection 20 of attempt 1"}),
]


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory: pytest.TempPathFactory) -> DisturbedRun:
    return run_disturbed(tmp_path_factory.mktemp("campaign") / "run", FAULTS)


def evidence_of(run: DisturbedRun) -> Evidence:
    return Evidence(run.directory, run.exit_code, run.output)


@pytest.mark.timeout(260)
def test_a_killed_guard_and_lost_frames_leave_all_invariants_whole(disturbed: DisturbedRun) -> None:
    evidence = evidence_of(disturbed)
    assert broken_invariants(evidence) == [], disturbed.output
    assert disturbed.left == disturbed.lost == []
    guard, frames = reactions(evidence, FAULTS, disturbed)
    assert (guard.late, frames.late) == ("", "")
    assert guard.took_s is not None
    assert frames.begun
    assert disturbed.commands == [("run", 0)]
    outcomes = {number: attempt.complete for number, attempt in evidence.attempts.items()}
    assert outcomes == {1: False, 2: True, 3: True}


def lose_a_frame(run: RunDirectory) -> None:
    with h5py.File(run.frames_file(2, FrameKind.PROJECTION), "r+") as file:
        file[IMAGES].resize(44, axis=0)


def repeat_a_frame(run: RunDirectory) -> None:
    with h5py.File(run.frames_file(2, FrameKind.FLAT), "r+") as file:
        file[FRAME_IDS][3] = file[FRAME_IDS][2]


def darken_a_frame(run: RunDirectory) -> None:
    with h5py.File(run.frames_file(2, FrameKind.PROJECTION), "r+") as file:
        file[IMAGES][7] = np.full(file[IMAGES].shape[1:], 100, np.uint16)


def lose_rows(run: RunDirectory, table: str, *rows: int) -> None:
    log = sqlite3.connect(run.cell_log)
    log.executemany(f"DELETE FROM {table} WHERE id = ?", [(row,) for row in rows])
    log.commit()
    log.close()


def lose_a_sample(run: RunDirectory) -> None:
    lose_rows(run, "potentiostat", 3)


def change_lines(path: Path, change: Callable[[str], str]) -> None:
    path.write_text("".join(change(line) for line in path.read_text().splitlines(keepends=True)))


def call_a_failure_a_success(run: RunDirectory) -> None:
    change_lines(run.documents, lambda line: line.replace('"exit_status": "fail"', '"exit_status": "success"'))


def leave_a_run_open(run: RunDirectory) -> None:
    lines = run.documents.read_text().splitlines(keepends=True)
    run.documents.write_text("".join(lines[:-1]))


def leave_the_current_on(run: RunDirectory) -> None:
    last = [line for line in read_json_lines(run.truth) if "current_a" in line][-1]
    with run.truth.open("a") as file:
        file.write(json.dumps(last | {"current_a": -1e-5}) + "\n")


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (lose_a_frame, "has 44 frames, 45 were declared"),
        (repeat_a_frame, "missing or there twice"),
        (darken_a_frame, "1 frames with little beam, and no measurement tells"),
        (lose_a_sample, "cell.sqlite lacks rows of potentiostat"),
        (call_a_failure_a_success, "attempt 1 is partial but its stop says success"),
        (leave_a_run_open, "were opened"),
        (leave_the_current_on, "left with -10.0 uA"),
    ],
)
def test_what_must_not_be_is_noticed(
    disturbed: DisturbedRun, tmp_path: Path, tamper: Callable[[RunDirectory], None], told: str
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(disturbed.directory, copy)
    tamper(RunDirectory(copy))
    assert told in "; ".join(broken_invariants(Evidence(copy, disturbed.exit_code, disturbed.output)))


def test_what_was_written_once_must_stay(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    log = CellLogWriter(run.cell_log)
    for _ in range(3):
        log.sample("temperature", time_s=1.0, wall_s=1.0, period_s=1.0, quality="OK", values=(25.0,))
    log.commit()
    run.documents.write_text('["start", {}]\n["stop", {}]\n["torn')
    witness = Witness(run)
    witness.look()
    with run.documents.open("a") as file:
        file.write("\n")
    assert list(witness.lost(run)) == []
    run.documents.write_text('["start", {}]\n')
    log.close()
    lose_rows(run, "temperature", 3)
    assert [sentence.split(" of ")[0] for sentence in witness.lost(run)] == ["the first 27 bytes", "rows [3]"]


def test_every_class_has_its_turn_and_every_fault_can_be_injected() -> None:
    names: list[str] = []
    number = 0
    while len(names) < 2 * len(CLASSES):
        number += 1
        faults = planned_faults(7, number)
        assert len(faults) == num_faults(7, number)
        timed = [fault.after_s for fault in faults if fault.name not in AT_FRAMES]
        assert all(second_s - first_s >= 5 for first_s, second_s in itertools.pairwise(timed))
        for fault in faults:
            if fault.table is not None:
                fault_from(fault.table)
        names += [fault.name for fault in faults]
    assert set(names) == set(CLASSES)


def test_a_plan_is_the_same_each_time_and_another_with_another_seed() -> None:
    assert planned_faults(3, 5) == planned_faults(3, 5) != planned_faults(4, 5)


def test_a_campaign_of_some_classes_has_no_others() -> None:
    wanted = ("late frame", "stage stop", "analysis hung")
    found = [fault.name for number in range(1, 9) for fault in planned_faults(3, number, wanted)]
    assert set(found) == set(wanted)
    assert max(map(found.count, wanted)) - min(map(found.count, wanted)) <= 1
