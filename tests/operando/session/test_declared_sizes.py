"""Commands refuse files that declare more than they hold, in a sentence and with the exit code of a mistake."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest

from live_analysis.final_volume.raw_scan import VolumeError
from operando.cli import main
from operando.model.declared_size import DeclaredSizeError
from operando.model.frames import ANGLES, FRAME_IDS, IMAGES, TIMES, FrameKind
from operando.model.run_directory import RunDirectory
from operando.session import salvage as salvaging
from operando.session.alignment_report import look_at_pair
from operando.session.errors import EXIT_MISTAKE
from operando.session.frames_in_file import FramesInFile, frames_in_file
from operando.session.recorded_raw_scan import RecordedFrames
from operando.session.report.displacement_field import DisplacementError, read_displacement
from operando.session.report.slice_pictures import gallery
from operando.session.salvage import salvage
from tests.support.declared_files import MANY, WIDE, declare, declared_frames, declared_tiff, is_refusal


@pytest.fixture
def refusal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """A command's sentence, which ends with the exit code of a mistake."""

    def refusal_of(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["operando", *words])
        with pytest.raises(SystemExit) as caught:
            main()
        assert caught.value.code == EXIT_MISTAKE
        return capsys.readouterr().err

    return refusal_of


def data_exchange(path: Path, data: tuple[int, ...]) -> Path:
    shapes = {f"exchange/{name}": data for name in ("data", "data_white", "data_dark")}
    return declare(path, {**shapes, "exchange/theta": data[:1]})


@pytest.mark.parametrize("command", ["replay", "reconstruct", "phases"])
@pytest.mark.parametrize("shape", [WIDE, (MANY, 4, 4)])
def test_a_file_that_cannot_be_ends_a_command_before_anything_starts(
    tmp_path: Path, command: str, shape: tuple[int, ...], refusal: Callable[..., str]
) -> None:
    path = data_exchange(tmp_path / "scan.h5", shape)
    asked = f"{path}:/exchange/data" if command == "phases" else f"{path}"
    assert is_refusal(refusal(command, asked))
    assert [found.name for found in tmp_path.iterdir()] == ["scan.h5"]


@pytest.mark.parametrize("command", ["replay", "reconstruct"])
def test_tiffs_that_cannot_be_end_a_command_too(tmp_path: Path, command: str, refusal: Callable[..., str]) -> None:
    for name in ("dark.tif", "flat.tif", "p0.tif"):
        declared_tiff(tmp_path / name)
    (tmp_path / "angles.txt").write_text("0\n90\n")
    assert is_refusal(refusal(command, str(tmp_path)))


def test_a_volume_too_large_to_be_measured_is_refused_before_its_voxels_are_read(
    tmp_path: Path, refusal: Callable[..., str]
) -> None:
    path = declare(tmp_path / "volume.h5", {"volume": (2**18, 2**12, 2**12)}, dtype="u1")
    assert "million voxels need" in refusal("phases", str(path))


@pytest.mark.parametrize("shape", [WIDE, (MANY, 4, 4)])
def test_frames_that_cannot_be_are_none_and_stay_as_they_are(
    tmp_path: Path, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunDirectory(tmp_path)
    path = declared_frames(run.frames_file(1, FrameKind.PROJECTION), shape)
    before = path.read_bytes()
    assert frames_in_file(path) == FramesInFile(0, 0)
    monkeypatch.setattr(salvaging, "_is_whole", lambda _: False)  # as if its writer had been killed
    (said,) = salvage(run)
    assert is_refusal(said)
    assert path.read_bytes() == before
    with pytest.raises(DeclaredSizeError):
        look_at_pair(path, path, path, path)


def layouts() -> dict[str, dict[str, Any]]:
    lists = {name: np.arange(2.0) for name in (TIMES, FRAME_IDS, ANGLES)}
    return {
        "no lists": {IMAGES: None, **dict.fromkeys(lists, 1.0)},
        "no frames": {IMAGES: np.zeros(3), **lists},
    }


@pytest.mark.parametrize("layout", layouts())
def test_a_frames_file_of_another_layout_is_left_as_it_is(
    tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = RunDirectory(tmp_path).frames_file(1, FrameKind.DARK)
    path.parent.mkdir()
    with h5py.File(path, "w", libver="latest") as file:
        for name, values in layouts()[layout].items():
            if values is None:
                file.create_dataset(name, (2, 3, 3), "u2", chunks=(1, 3, 3))
            else:
                file[name] = values
    monkeypatch.setattr(salvaging, "_is_whole", lambda _: False)
    (said,) = salvage(RunDirectory(tmp_path))
    assert said.startswith("0001_dark.h5: nothing can be read of it (")
    assert not said.endswith("()")
    assert [found.name for found in path.parent.iterdir()] == ["0001_dark.h5"]


def test_the_report_says_which_files_cannot_be(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    declare(run.volume(1) / "slices.h5", dict.fromkeys(("xy", "xz", "yz"), WIDE[1:]))
    story: Any = SimpleNamespace(name="OCV", attempt=1, uid="u")
    (state,) = gallery(run, [story]).states
    assert is_refusal(state.note)
    shapes = {name: (MANY, 3) for name in ("node_um", "displacement_um", "uncertainty_um")}
    path = declare(run.volume(1) / "displacement.h5", {**shapes, "valid": (MANY,)})
    with pytest.raises(DisplacementError) as caught:
        read_displacement(path, "OCV", "u")
    assert is_refusal(str(caught.value))


def test_more_recorded_frames_than_the_memory_holds_are_refused() -> None:
    stack: Any = SimpleNamespace(shape=(2**18, 2**14, 2**14), dtype=np.dtype(np.uint16))
    with pytest.raises(VolumeError, match="GB are free"):
        RecordedFrames(stack).rows(0, 2**18, 0, 2**14)
