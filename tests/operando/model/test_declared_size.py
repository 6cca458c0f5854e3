import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import psutil
import pytest

from operando.model.declared_size import (
    FRAME,
    LIST,
    MAX_FRAMES,
    PLANE,
    VOLUME,
    DeclaredSizeError,
    check_size,
    readable,
    readable_frames,
)
from operando.model.preview_slices import read_preview
from tests.support.declared_files import MANY, WIDE, declare


def test_what_fits_is_handed_back_as_it_is(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "good.h5", "w") as file:
        file["frames"], file["angles"] = np.ones((3, 20, 30), np.uint16), np.linspace(0, 180, 3)
        assert readable_frames(file["frames"]) == file["frames"]
        assert readable(file["angles"], LIST)[:].tolist() == [0, 90, 180]
    check_size("a detector", (16_384, 16_384), VOLUME)


@pytest.mark.parametrize(
    ("shape", "ask", "said"),
    [
        ((2**20, 2**20), lambda found: readable(found, PLANE), "at most 134217728 are read"),
        ((MANY,), lambda found: readable(found, LIST), "1000000000000 values, for which 1.6e"),
        (WIDE, readable_frames, r"float32, shape \(100, 1048576, 1048576\)\) declares a frame"),
        ((4, 2**17, 1), readable_frames, "at most 65536 along an axis"),
        ((MAX_FRAMES + 1, 2, 2), readable_frames, "262145 frames"),
        ((9, 9), readable_frames, "three axes"),
        (WIDE, lambda found: readable(found, VOLUME), "GB are free"),
    ],
)
def test_what_is_too_large_is_refused_with_numbers(
    tmp_path: Path, shape: tuple[int, ...], ask: Callable[[Any], Any], said: str
) -> None:
    path = declare(tmp_path / "large.h5", {"entry/found": shape})
    with h5py.File(path) as file, pytest.raises(DeclaredSizeError, match=said) as caught:
        ask(file["entry/found"])
    assert str(caught.value).startswith(f"{path}: /entry/found (float32, ")


def test_chunks_count_too_since_hdf5_reads_them_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1.5e10))
    with h5py.File(tmp_path / "chunk.h5", "w") as file:
        unlimited = {"maxshape": (None, None), "compression": "gzip"}
        found = file.create_dataset("found", (9, 9), "u1", chunks=(2**16, 2**15), **unlimited)
        with pytest.raises(DeclaredSizeError, match="65536 x 32768 values"):
            readable(found, PLANE)


def test_a_chunk_that_could_unpack_to_anything_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "bomb.h5", "w") as file:
        found = file.create_dataset("frames", (4, 64, 64), "u2", chunks=(1, 64, 64), compression="gzip")
        found[0] = 1
        found.id.write_direct_chunk((2, 0, 0), zlib.compress(bytes(2**24), 9))  # 16 MB of zeros in 16 kB
        with pytest.raises(DeclaredSizeError, match=r"16\d* bytes is larger than the 8192 bytes it stands for"):
            readable_frames(found)


@pytest.mark.parametrize(
    "options", [{"compression": "gzip", "shuffle": True}, {"compression": "lzf"}, {"fletcher32": True}]
)
@pytest.mark.parametrize("length", [1, 2**18])
def test_what_cannot_be_compressed_is_no_reason_to_refuse(tmp_path: Path, options: dict[str, Any], length: int) -> None:
    with h5py.File(tmp_path / "noise.h5", "w") as file:
        found = file.create_dataset("noise", (2 * length,), "u1", chunks=(length,), **options)
        found[:] = np.random.default_rng(1).integers(0, 256, 2 * length, np.uint8)
        assert readable(found, LIST) == found


def test_what_is_not_numbers_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "strange.h5", "w") as file:
        file["group/within"] = 1.0
        file["empty"] = h5py.Empty("f4")
        file.create_dataset("texts", (MANY,), h5py.string_dtype(), chunks=(9,))
        file.create_dataset("long", (9,), "S1000000000", chunks=(1,))
        file.create_dataset("ragged", (MANY,), h5py.vlen_dtype("f4"), chunks=(9,))
        for name in ("group", "empty", "texts", "long", "ragged"):
            with pytest.raises(DeclaredSizeError, match=f"/{name} holds .*; numbers were expected"):
                readable(file[name], LIST)


def test_what_is_allowed_must_also_fit_into_the_memory_that_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1e9))
    check_size("a usual frame", (2160, 2560), FRAME)
    with pytest.raises(DeclaredSizeError, match=r"12000 x 12000 values, for which 9\.22 GB .*; 1 GB are free"):
        check_size("a large frame", (12_000, 12_000), FRAME)


def test_a_preview_of_planes_that_nobody_can_draw_is_refused(tmp_path: Path) -> None:
    path = declare(tmp_path / "preview.h5", dict.fromkeys(("xy", "xz", "yz"), WIDE[1:]), tomogram="a", run_uid="b")
    with pytest.raises(DeclaredSizeError, match=r"/xy .* a plane that is drawn"):
        read_preview(path)
