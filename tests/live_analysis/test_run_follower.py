"""Documents become tomograms, also when lines are torn, damaged or never come."""

import json
from pathlib import Path

import pytest

from live_analysis.run_follower import RunFollower
from operando.model.frames import FrameKind
from operando.model.run_directory import RunDirectory

OUTER = ["start", {"uid": "outer", "time": 1.0, "kind": "experiment"}]
INNER = ["start", {"uid": "inner", "time": 2.0, "kind": "tomogram", "tomogram": "D1.7V", "attempt": 3}]
INNER_STOP = ["stop", {"uid": "s", "time": 3.0, "run_start": "inner", "exit_status": "success"}]
OUTER_STOP = ["stop", {"uid": "t", "time": 4.0, "run_start": "outer", "exit_status": "success"}]
DESCRIPTOR = ["descriptor", {"uid": "d", "run_start": "inner", "name": "projection"}]
RESOURCE = ["stream_resource", {"uid": "r", "run_start": "inner", "uri": "file://localhost/data/a%20scan/0003.h5"}]
DATUM = ["stream_datum", {"uid": "r/0", "stream_resource": "r", "descriptor": "d", "indices": {"start": 0, "stop": 9}}]


def write(path: Path, *lines: object, torn: str = "") -> RunFollower:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + torn, encoding="utf-8")
    return RunFollower(path)


def test_a_run_is_followed_as_its_file_grows(tmp_path: Path) -> None:
    path = tmp_path / "documents.jsonl"
    follower = RunFollower(path)
    assert follower.poll() == 0
    path.write_text(json.dumps(OUTER) + "\n" + json.dumps(INNER)[:20], encoding="utf-8")
    assert follower.poll() == 1
    assert follower.runs.tomograms == []
    with path.open("a") as file:
        file.write(json.dumps(INNER)[20:] + "\n")
    assert follower.poll() == 1
    (tomogram,) = follower.runs.tomograms
    assert (tomogram.name, tomogram.attempt, tomogram.ended) == ("D1.7V", 3, False)
    with path.open("a") as file:
        file.write(json.dumps(INNER_STOP) + "\n" + json.dumps(OUTER_STOP) + "\n")
    assert follower.poll() == 2
    assert tomogram.ended
    assert follower.runs.experiment_ended


def test_a_torn_last_line_is_no_damage_and_a_broken_one_is_counted_and_left_out(tmp_path: Path) -> None:
    follower = write(tmp_path / "d", OUTER, 7, ["start"], INNER, INNER_STOP, torn='["stop", {"ru')
    follower.poll()
    assert follower.num_damaged == 2
    assert [tomogram.ended for tomogram in follower.runs.tomograms] == [True]
    path = tmp_path / "e"
    path.write_bytes(json.dumps(OUTER).encode() + b"\n\x00\x00\xff\n" + json.dumps(INNER).encode() + b"\n")
    follower = RunFollower(path)
    follower.poll()
    assert follower.num_damaged == 1
    assert len(follower.runs.tomograms) == 1


def test_a_tomogram_whose_acquisition_died_ends_when_the_next_experiment_run_begins(tmp_path: Path) -> None:
    follower = write(tmp_path / "d", OUTER, INNER, ["start", {**OUTER[1], "uid": "outer 2"}])  # type: ignore[dict-item]
    follower.poll()
    (tomogram,) = follower.runs.tomograms
    assert tomogram.orphaned
    assert tomogram.stop is None
    assert not follower.runs.experiment_ended


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "", ".hidden"])
def test_a_name_that_cannot_be_a_file_name_is_refused(tmp_path: Path, name: str) -> None:
    follower = write(tmp_path / "d", OUTER, ["start", {**INNER[1], "tomogram": name}])  # type: ignore[dict-item]
    follower.poll()
    assert follower.runs.tomograms == []
    assert follower.num_damaged == 1


def test_frames_lie_in_the_run_directory_or_else_where_the_documents_say(tmp_path: Path) -> None:
    follower = write(tmp_path / "d", OUTER, INNER, DESCRIPTOR, RESOURCE, DATUM)
    follower.poll()
    (tomogram,) = follower.runs.tomograms
    run = RunDirectory(tmp_path)
    assert tomogram.num_declared == {FrameKind.PROJECTION: 9}
    assert tomogram.frames_file(FrameKind.PROJECTION, run) == Path("/data/a scan/0003.h5")
    assert tomogram.frames_file(FrameKind.FLAT, run) == run.frames_file(3, FrameKind.FLAT)
    run.frames.mkdir()
    run.frames_file(3, FrameKind.PROJECTION).touch()
    assert tomogram.frames_file(FrameKind.PROJECTION, run) == run.frames_file(3, FrameKind.PROJECTION)


def test_of_a_forgotten_tomogram_nothing_is_kept_and_what_is_still_said_about_it_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "d"
    follower = write(path, OUTER, INNER, DESCRIPTOR, RESOURCE, DATUM)
    empty = vars(RunFollower(path).runs)
    follower.poll()
    follower.runs.forget(follower.runs.tomograms[0])
    with path.open("a") as file:
        file.write("".join(json.dumps(line) + "\n" for line in (DATUM, INNER_STOP)))
    assert follower.poll() == 2
    kept = {name for name, value in vars(follower.runs).items() if value != empty[name]}
    assert kept == {"_outer_runs", "_open_outer_runs", "_num_outer_runs"}
