"""A disk that is full in the middle: the cell is safe, what was acknowledged is there, and with room it goes on."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import h5py
import pytest

from campaigns.small_disk import SmallDisk, may_mount
from operando.model.frames import IMAGES, FrameKind
from operando.model.run_directory import RunDirectory
from tests.support.processes import rehearsal, stops


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    if not may_mount():
        pytest.skip(f"a small disk is mounted as root only; this is user {os.geteuid()}")
    try:
        with SmallDisk(tmp_path / "disk") as disk:
            yield disk
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no small disk can be mounted here ({error})")


@pytest.mark.timeout(200)
def test_a_full_disk_ends_a_run_safely_and_with_room_it_is_resumed_to_its_end(disk: SmallDisk) -> None:
    with rehearsal(disk.folder / "run") as run:
        directory = RunDirectory(run.directory)
        run.wait(lambda: directory.frames_file(2, FrameKind.PROJECTION).exists())
        before = run.rows("potentiostat")
        disk.fill()
        assert run.exit_code(120) == 1
        said = " ".join(run.said().split())
        assert "one tomogram needs" in said, said
        assert "free in" in said, said
        assert f"operando resume {run.directory}" in said, said
        assert run.left_running() == []
        assert run.rows("potentiostat")[: len(before)] == before
        with h5py.File(directory.frames_file(1, FrameKind.PROJECTION)) as file:
            assert len(file[IMAGES]) == next(
                document["num_projections"]
                for name, document in run.documents()
                if name == "start" and document.get("tomogram") == "OCV"
            )
        said = run.command("resume").said_at_end(1)
        assert "No space left" in said, said
        assert "one tomogram needs" in said, said
        assert "Traceback" not in said
        said = run.command("analyse").said_at_end(1)
        assert said.endswith("Make room on that disk, then give the same command again."), said
        assert "Traceback" not in said
        disk.make_room()
        run.command("resume").said_at_end(0, 120)
        ends = stops(run.documents())
        assert (ends["OCV"], ends["D1.9V"]) == ("success", "success")
        assert run.left_running() == []
