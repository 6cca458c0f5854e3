"""Files that declare far more than they hold: nothing of it is on the disk, and no computer has the memory for it."""

import re
from pathlib import Path

import h5py
import numpy as np
import tifffile

from operando.model.frames import ANGLES, FRAME_IDS, IMAGES, TIMES

WIDE = (100, 2**20, 2**20)  # frames of two terabytes, and a volume of hundreds
MANY = 10**12
Shapes = dict[str, tuple[int, ...]]


def declare(path: Path, shapes: Shapes, *, dtype: str = "f4", **attributes: object) -> Path:
    """Write an HDF5 file whose datasets have shapes and no values; attributes are the file's and every dataset's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", libver="latest") as file:
        for name, shape in shapes.items():
            dataset = file.create_dataset(name, shape, dtype, chunks=tuple(min(length, 64) for length in shape))
            for holder in (file, dataset, dataset.parent):
                holder.attrs.update(attributes)
    assert path.stat().st_size < 1e5
    return path


def declared_frames(path: Path, shape: tuple[int, ...] = WIDE) -> Path:
    """Write a frames file of such images, with a value of each kind for every frame."""
    beside = dict.fromkeys((TIMES, FRAME_IDS, ANGLES), shape[:1])
    return declare(path, {IMAGES: shape, **beside}, dtype="u2")


def declared_tiff(path: Path, side: int = 60_000) -> Path:
    """Write a compressed TIFF of a few pixels, two pages, of which each says that it has ``side`` rows and columns."""
    with tifffile.TiffWriter(path) as writer:
        for _ in range(2):
            writer.write(np.zeros((70_000, 1), np.uint16), compression="zlib", rowsperstrip=70_000, metadata=None)
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        tags = [page.tags[name] for page in file.pages for name in ("ImageWidth", "ImageLength")]  # type: ignore[union-attr]
    for tag in tags:
        size = {3: 2, 4: 4}[int(tag.dtype)]
        content[tag.valueoffset : tag.valueoffset + size] = side.to_bytes(size, "little")
    path.write_bytes(bytes(content))
    return path


def is_refusal(sentence: str) -> bool:
    """Whether a sentence says what was declared and what may be, with numbers."""
    return re.search(r"declares .*(at most \d+ .*are read|GB are free)", sentence) is not None
