"""Whatever another client does to the instruments, no tomogram is called a success that is not one."""

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from operando.model import frames
from operando.model.frames import FrameKind
from operando.model.run_directory import RunDirectory
from tests.support.processes import Rehearsal, rehearsal, stops
from tests.support.standing_client import StandingClient, standing_client

pytestmark = pytest.mark.timeout(200)
FAULTS = Path(__file__).parent / "faults.toml"
ACQUIRE, CAPTURE = "SIM:camera:cam1:Acquire", "SIM:camera:HDF1:Capture"
ACQUIRING, MOVED = "SIM:camera:cam1:Acquire_RBV", "SIM:rotation.DMOV"
STOP, CLOSE, SHUTTER = "SIM:rotation.STOP", "SIM:shutter:CLOSE_CMD", "SIM:shutter:STATUS"
RING = "SIMULATION:STORED_CURRENT"
NAMES = (ACQUIRE, CAPTURE, ACQUIRING, MOVED, STOP, CLOSE, SHUTTER, RING)
Puts = Sequence[tuple[str, Any]]

# What is put in the first attempt of a tomogram, what after it, and what the reason says.
DISTURBANCES: tuple[tuple[Puts, Puts, str], ...] = (
    ([(ACQUIRE, 0)], [], "projection: 80 expected,"),
    ([(STOP, 1)], [], "rotation_stage: was asked to go to"),
    ([(RING, 0.0)], [(RING, 300.0)], "mA, needed are 30 mA"),
    ([(CAPTURE, 0)], [], "written when the file was closed"),
    ([(CLOSE, 1)], [], "must be open for frames of kind projection, but is closed"),
)


def of_attempt(run: Rehearsal, attempt: int, name: str) -> list[dict[str, Any]]:
    """Documents of one kind that belong to an attempt; with start, descriptor and event resolved by uid."""
    documents = run.documents()
    uid = next((doc["uid"] for kind, doc in documents if kind == "start" and doc.get("attempt") == attempt), None)
    if name == "stop":
        return [doc for kind, doc in documents if kind == "stop" and doc["run_start"] == uid]
    streams = {doc["uid"]: doc["name"] for kind, doc in documents if kind == "descriptor" and doc["run_start"] == uid}
    return [
        {**doc, "stream": streams[doc["descriptor"]]}
        for kind, doc in documents
        if kind == name and doc["descriptor"] in streams
    ]


def in_projections(run: Rehearsal, attempt: int) -> bool:
    return any(doc["stream"] == "projection" for doc in of_attempt(run, attempt, "stream_datum"))


def outcome_of(run: Rehearsal, attempt: int) -> dict[str, Any]:
    (event,) = [doc for doc in of_attempt(run, attempt, "event") if doc["stream"] == "outcome"]
    data: dict[str, Any] = event["data"]
    return data


def disturb(run: Rehearsal, client: StandingClient, attempt: int, puts: Puts) -> None:
    run.wait(lambda: in_projections(run, attempt), 60)
    client.put(*puts)
    run.wait(lambda: bool(of_attempt(run, attempt, "stop")), 30)


def assert_partial_and_readable(run: Rehearsal, attempt: int, reason: str) -> None:
    (stop,) = of_attempt(run, attempt, "stop")
    outcome = outcome_of(run, attempt)
    assert (stop["exit_status"], outcome["outcome"]) == ("fail", "partial")
    assert reason in stop["reason"]
    assert stop["reason"] == outcome["reason"]
    directory = RunDirectory(run.directory)
    assert outcome["declared_projection"] == outcome["written_projection"] >= 1
    for kind in (FrameKind.DARK, FrameKind.FLAT, FrameKind.PROJECTION):
        with h5py.File(directory.frames_file(attempt, kind)) as file:
            ids = file[frames.FRAME_IDS][...]
            assert file[frames.IMAGES].shape[0] == len(ids) == outcome[f"written_{kind}"]
            assert (np.diff(ids) == 1).all()


def test_what_another_client_does_makes_an_attempt_partial_and_the_next_one_complete(tmp_path: Path) -> None:
    with rehearsal(tmp_path / "run", FAULTS) as run, standing_client(run, *NAMES) as client:
        for number, (puts, mends, _) in enumerate(DISTURBANCES):
            disturb(run, client, 2 * number + 1, puts)
            client.put(*mends)
        assert run.exit_code(60) == 0, run.said()
        for number, (_, _, reason) in enumerate(DISTURBANCES):
            assert_partial_and_readable(run, 2 * number + 1, reason)
            retaken = outcome_of(run, 2 * number + 2)
            assert retaken["outcome"] == "complete", retaken["reason"]
            assert [retaken[f"declared_{kind}"] for kind in FrameKind] == [5, 10, 80, 4]
            assert of_attempt(run, 2 * number + 2, "stop")[0]["exit_status"] == "success"
        assert stops(run.documents())["experiment"] == "success"
        for document in (doc for name, doc in run.documents() if name == "start" and doc["kind"] == "tomogram"):
            attempt, name = document["attempt"], document["tomogram"]
            (stop,) = of_attempt(run, attempt, "stop")
            outcome = outcome_of(run, attempt)
            took_s = stop["time"] - document["time"]
            assert sum(outcome["dead_time_wall_s"]) == pytest.approx(took_s, rel=0.01, abs=0.2), "on a busy computer"
            with h5py.File(RunDirectory(run.directory).tomogram_file(attempt, name)) as file:
                keys = file["/entry/instrument/detector/image_key"][...]
                written = {kind: outcome[f"written_{kind}"] for kind in FrameKind}
                num_flats = written[FrameKind.FLAT] + written[FrameKind.FLAT_AFTER]
                expected = [written[FrameKind.PROJECTION], num_flats, written[FrameKind.DARK]]
                assert np.bincount(keys, minlength=3).tolist() == expected
                assert file["/entry/instrument/detector/data"][-1].any(), "the last projection can be read"


def test_disturbed_twice_it_stays_partial_and_an_abort_leaves_every_instrument_at_rest(tmp_path: Path) -> None:
    with rehearsal(tmp_path / "run", FAULTS) as run, standing_client(run, *NAMES) as client:
        disturb(run, client, 1, [(ACQUIRE, 0)])
        disturb(run, client, 2, [(ACQUIRE, 0)])
        run.wait(lambda: in_projections(run, 3), 60)
        run.process.send_signal(signal.SIGINT)
        assert run.exit_code(40) == 130
        seen = client.put()
        assert (seen[ACQUIRING], seen[CAPTURE], seen[SHUTTER], seen[MOVED]) == (0, 0, 0, 1)
        assert stops(run.documents()) == {"experiment": "abort", "T_001": "fail", "T_002": "abort"}
        assert outcome_of(run, 3)["declared_projection"] == outcome_of(run, 3)["written_projection"]
