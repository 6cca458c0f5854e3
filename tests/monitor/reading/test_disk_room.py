import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from operando.model.frames import FrameKind
from operando.model.run_directory import RunDirectory
from operando.monitor.reading.disk_room import DiskWatch
from operando.monitor.reading.run_processes import Life


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDirectory:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10_500))
    made = RunDirectory(tmp_path)
    made.frames.mkdir()
    made.frames_file(2, FrameKind.DARK).write_bytes(b"x" * 1000)
    made.frames_file(2, FrameKind.PROJECTION).write_bytes(b"x" * 3000)
    return made


def test_room_is_told_in_tomograms_like_the_last_whole_one(run: RunDirectory) -> None:
    room = DiskWatch(run).room(2, [Life.LIVES], 100.0)
    assert room is not None
    assert room.is_short
    assert room.text == "1.05e-05 GB free, room for 2 tomograms"


def test_a_number_that_nobody_needs_to_know_is_not_spelt_out(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=4_004_500))
    room = DiskWatch(run).room(2, [Life.LIVES], 100.0)
    assert room is not None
    assert room.text.endswith("room for more than 1000 tomograms")


@pytest.mark.parametrize("attempt", [None, 1])
def test_without_a_whole_tomogram_only_the_bytes_are_told(run: RunDirectory, attempt: int | None) -> None:
    room = DiskWatch(run).room(attempt, [Life.LIVES], 100.0)
    assert room is not None
    assert not room.is_short
    assert room.text.endswith("GB free")


@pytest.mark.parametrize("lives", [[], [Life.ENDED], [Life.ELSEWHERE, Life.LIVES]])
def test_nothing_is_told_of_a_copy_or_of_another_computer(run: RunDirectory, lives: list[Life]) -> None:
    assert DiskWatch(run).room(2, lives, 100.0) is None


def test_it_is_told_while_processes_are_dead(run: RunDirectory) -> None:
    assert DiskWatch(run).room(2, [Life.DIED], 100.0) is not None


def test_a_directory_that_disappeared_has_no_disk(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(shutil, "disk_usage", refuse)
    assert DiskWatch(run).room(2, [Life.LIVES], 100.0) is None
