"""Frames files shown as one dataset of another file: by relative names without a copy, so that both can be moved."""

import os
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from live_analysis.frame_reader import VALUES_AT_ONCE, FrameReader
from live_analysis.run_follower import TomogramRun
from operando.model import frames
from operando.model.frames import FrameKind
from operando.model.hdf5_beside_writer import is_closed
from operando.model.run_directory import RunDirectory

FRAMES_AT_ONCE = 32


@dataclass(frozen=True)
class FrameSource:
    """The frames of one kind; ``closed`` is False where the writer was killed before it could close its file.

    ``times`` (s since the Unix epoch), ``ids`` and ``angles_deg`` have shape (frame,).
    """

    kind: FrameKind
    path: Path
    num_frames: int
    frame_shape: tuple[int, int]
    closed: bool
    times: NDArray[np.float64]
    ids: NDArray[np.int64]
    angles_deg: NDArray[np.float64]


def frame_source(tomogram: TomogramRun, kind: FrameKind, run: RunDirectory) -> FrameSource | None:
    """Return what is committed of one kind of frames; None if there is no frame."""
    path = tomogram.frames_file(kind, run)
    reader = FrameReader(path)
    try:
        num_frames, frame_shape = reader.num_frames(), reader.frame_shape()
        if frame_shape is None or num_frames == 0:
            return None
        times, ids, angles_deg = reader.values_beside(0, num_frames)
    finally:
        reader.close()
    return FrameSource(kind, path, num_frames, frame_shape, is_closed(path), times, ids, angles_deg)


def show_frames(group: Any, name: str, sources: list[FrameSource], *, copied: bool = False) -> None:
    """Make one dataset (frame, row, column) of the images of several files, in order.

    The dataset is virtual as long as every file was closed by its writer. Otherwise, and when ``copied`` is asked
    for, the images are copied: a plain reader is refused an open file and would show zeros in its place.

    Parameters
    ----------
    group
        Open HDF5 group that gets the dataset.
    """
    num_frames = sum(source.num_frames for source in sources)
    shape = (num_frames, *sources[0].frame_shape)
    if not copied and all(source.closed for source in sources):
        group.create_virtual_dataset(name, _layout(shape, sources, Path(group.file.filename).parent))
        return
    images = group.create_dataset(name, shape, np.uint16, chunks=(1, *sources[0].frame_shape))
    first = 0
    for source in sources:
        reader = FrameReader(source.path)
        at_once = max(1, min(FRAMES_AT_ONCE, VALUES_AT_ONCE // prod(source.frame_shape)))
        for index in range(0, source.num_frames, at_once):
            stop = min(index + at_once, source.num_frames)
            images[first + index : first + stop] = reader.rows(index, stop, 0, source.frame_shape[0])
        reader.close()
        first += source.num_frames


def _layout(shape: tuple[int, ...], sources: list[FrameSource], folder: Path) -> Any:
    """Make each frame a source of its own: nexusformat takes the number of sources for the number of frames."""
    layout = h5py.VirtualLayout(shape, np.uint16)
    index = 0
    for source in sources:
        file_shape = (source.num_frames, *source.frame_shape)
        images = h5py.VirtualSource(os.path.relpath(source.path, folder), frames.IMAGES, file_shape)
        for frame in range(source.num_frames):
            layout[index] = images[frame]
            index += 1
    return layout
