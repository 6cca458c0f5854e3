"""Frames files whose writer was killed: marked as open for ever, so that only whoever knows reads them; made whole."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import h5py

from operando.model.declared_size import LIST, readable, readable_frames
from operando.model.frames import ANGLES, FRAME_IDS, IMAGES, TIMES
from operando.model.hdf5_beside_writer import open_beside_writer
from operando.model.run_directory import RunDirectory

SALVAGED_SUFFIX, DAMAGED_SUFFIX = ".salvaged", ".damaged"
_UNREADABLE = (OSError, LookupError, RuntimeError, ValueError, MemoryError)  # what h5py says of damaged insides


def salvage(run: RunDirectory) -> list[str]:
    """Make every damaged frames file whole again; return a sentence for each.

    The damaged file stays beside the whole one, with ``.damaged`` behind its name: chunks that nothing leads to may
    still be in it. A file is left as it is where its writer still lives, where nothing can be read, or where the disk
    has no room. Call it when the file writer is at rest.
    """
    return list(_salvaged(run))


def damaged_files(run: RunDirectory) -> list[Path]:
    """Return the frames files that no writer has closed, also those of one that still writes."""
    return [path for path in sorted(run.frames.glob("*.h5")) if not _is_whole(path)]


def _salvaged(run: RunDirectory) -> Iterator[str]:
    folder = run.frames
    for leftover in folder.glob(f"*{SALVAGED_SUFFIX}"):
        leftover.unlink()
    for path in damaged_files(run):
        needed, free = path.stat().st_size, shutil.disk_usage(folder).free
        if needed > free:
            yield f"{path.name}: left as it is: {needed / 1e9:.3g} GB are needed, {free / 1e9:.3g} GB are free"
            continue
        try:
            copied = _copy(path, path.with_suffix(SALVAGED_SUFFIX))
        except _UNREADABLE as error:
            path.with_suffix(SALVAGED_SUFFIX).unlink(missing_ok=True)
            yield f"{path.name}: nothing can be read of it ({error})"
            continue
        kept = path.with_name(path.name + DAMAGED_SUFFIX)
        try:
            kept.unlink(missing_ok=True)  # of a salvage that was killed before its last step
            kept.hardlink_to(path)
        except OSError as error:
            path.with_suffix(SALVAGED_SUFFIX).unlink()
            yield f"{path.name}: left as it is: it cannot be kept as {kept.name} beside a whole one ({error})"
            continue
        path.with_suffix(SALVAGED_SUFFIX).replace(path)
        yield f"{path.name}: {copied}; the damaged file stays as {kept.name}"


def _is_whole(path: Path) -> bool:
    try:
        with h5py.File(path, "r"):
            return True
    except OSError:
        return False


def _copy(damaged: Path, whole: Path) -> str:
    """Copy what is committed and can be read; return how many frames that is.

    A frame of which a chunk was never written, which HDF5 would read as zeros, or lies beyond the end of the file is
    left out with its id, as a lost one.
    """
    with open_beside_writer(damaged) as source, h5py.File(whole, "w", libver="latest") as target:
        images = readable_frames(source[IMAGES])
        beside = {name: readable(source[name], LIST) for name in (TIMES, FRAME_IDS, ANGLES)}
        num_committed: int = min(each.shape[0] for each in (images, *beside.values()))
        copied = target.create_dataset(
            IMAGES,
            (num_committed, *images.shape[1:]),
            images.dtype,
            maxshape=(None, *images.shape[1:]),
            chunks=images.chunks or (1, *images.shape[1:]),
            dcpl=images.id.get_create_plist() if images.chunks else None,  # its filters, known here or not
        )
        kept: list[int] = []
        for index in _written(images, num_committed):
            with contextlib.suppress(*_UNREADABLE):
                _copy_frame(images, index, copied, len(kept))
                kept.append(index)
        copied.resize(len(kept), 0)
        for name, values in beside.items():
            target.create_dataset(name, data=values[:num_committed][kept], maxshape=(None,))
    with whole.open("rb") as file:
        os.fsync(file.fileno())
    num_lost = num_committed - len(kept)
    return f"{len(kept)} frames" + (f", {num_lost} more were counted but never written" if num_lost else "")


def _copy_frame(images: h5py.Dataset, index: int, copied: h5py.Dataset, place: int) -> None:
    if images.chunks == (1, *images.shape[1:]):  # without decoding it
        mask, chunk = images.id.read_direct_chunk((index, 0, 0))
        copied.id.write_direct_chunk((place, 0, 0), chunk, mask)
    else:
        copied[place] = images[index]


def _written(images: h5py.Dataset, num_committed: int) -> list[int]:
    """Return the frames of which every chunk is in the file; beyond its end HDF5 would read zeros."""
    end = Path(images.file.filename).stat().st_size
    if images.chunks is None:
        begin, frame_bytes = images.id.get_offset(), prod(images.shape[1:]) * images.dtype.itemsize
        return [] if begin is None else [i for i in range(num_committed) if begin + (i + 1) * frame_bytes <= end]
    there: set[tuple[int, ...]] = set()

    def look(chunk: Any) -> None:
        if chunk.byte_offset + chunk.size <= end:
            there.add(chunk.chunk_offset)

    images.id.chunk_iter(look)
    num_together, *tile = images.chunks
    tiles = list(product(*(range(0, length, step) for length, step in zip(images.shape[1:], tile, strict=True))))
    return [
        index
        for index in range(num_committed)
        if all((index - index % num_together, *corner) in there for corner in tiles)
    ]
