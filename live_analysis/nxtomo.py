"""One tomogram as NXtomo: a small file that shows the frames files as one scan, without a copy."""

import datetime
import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from live_analysis.frame_reader import FrameReader
from live_analysis.run_follower import TomogramRun
from operando.model import frames
from operando.model.frames import NXTOMO_IMAGE_KEY, FrameKind
from operando.model.run_directory import RunDirectory

Parts = list[tuple[FrameKind, Path, tuple[int, ...]]]
ORDER = (FrameKind.DARK, FrameKind.FLAT, FrameKind.PROJECTION)


def write_nxtomo(run: RunDirectory, tomogram: TomogramRun, *, title: str) -> Path:
    """Write (or write again) the NXtomo file of a tomogram; return its path.

    The images stay in the frames files; the file holds a relative virtual dataset over them, so it can be moved
    together with the run directory. Kinds of frames that were not taken are left out.

    References
    ----------
    NeXus application definition NXtomo, https://manual.nexusformat.org/classes/applications/NXtomo.html
    """
    path = run.tomogram_file(tomogram.attempt, tomogram.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".nx.new")
    with h5py.File(temporary, "w", libver="latest") as file:
        _write(file, run, tomogram, title, path.parent)
    temporary.replace(path)
    return path


def _write(file: Any, run: RunDirectory, tomogram: TomogramRun, title: str, folder: Path) -> None:
    start = tomogram.start
    parts = [
        (kind, source, shape)
        for kind in ORDER
        if (shape := _shape(source := tomogram.frames_file(kind, run))) is not None and shape[0]
    ]
    file.attrs["default"] = "entry"
    entry = _group(file, "entry", "NXentry", default="data")
    entry["definition"] = "NXtomo"
    entry["title"] = title
    entry["program_name"] = "operando"
    entry["entry_identifier"] = tomogram.uid
    entry["start_time"] = _iso(start["time"])
    if tomogram.stop is not None:
        entry["end_time"] = _iso(tomogram.stop["time"])
    entry.attrs["rehearsal"] = bool(start.get("rehearsal", False))

    beam = _group(entry, "beam", "NXbeam")
    _quantity(beam, "incident_energy", float(start["energy_kev"]), "keV")
    instrument = _group(entry, "instrument", "NXinstrument")
    source_group = _group(instrument, "source", "NXsource")
    source_group["probe"] = "x-ray"
    detector = _group(instrument, "detector", "NXdetector")
    sample = _group(entry, "sample", "NXsample")
    sample["name"] = tomogram.name
    data = _group(entry, "data", "NXdata", signal="data")

    image_keys = [np.full(shape[0], NXTOMO_IMAGE_KEY[kind], np.int32) for kind, _, shape in parts]
    detector["image_key"] = np.concatenate(image_keys) if image_keys else np.zeros(0, np.int32)
    _quantity(detector, "x_pixel_size", float(start["pixel_size_um"]), "um")
    _quantity(detector, "y_pixel_size", float(start["pixel_size_um"]), "um")
    num_frames = sum(shape[0] for _, _, shape in parts)
    _quantity(detector, "count_time", np.full(num_frames, float(start["exposure_s"])), "s")
    if not parts:
        return
    _virtual_images(detector, parts, folder)
    detector["frame_id"] = _values(parts, frames.FRAME_IDS)
    _quantity(detector, "time_stamp", _values(parts, frames.TIMES), "s")
    _quantity(sample, "rotation_angle", _values(parts, frames.ANGLES), "degree")
    data["data"] = h5py.SoftLink("/entry/instrument/detector/data")
    data["image_key"] = h5py.SoftLink("/entry/instrument/detector/image_key")
    data["rotation_angle"] = h5py.SoftLink("/entry/sample/rotation_angle")


def _virtual_images(group: Any, parts: Parts, folder: Path) -> None:
    """Make one dataset of the images of all frames files, by relative names.

    Each frame is a source of its own: nexusformat takes the number of sources for the number of frames.
    """
    frame_shape = parts[0][2][1:]
    layout = h5py.VirtualLayout((sum(shape[0] for _, _, shape in parts), *frame_shape), np.uint16)
    index = 0
    for _, path, shape in parts:
        source = h5py.VirtualSource(os.path.relpath(path, folder), frames.IMAGES, shape)
        for frame in range(shape[0]):
            layout[index] = source[frame]
            index += 1
    group.create_virtual_dataset("data", layout)


def _values(parts: Parts, inside: str) -> NDArray[Any]:
    """Return one value per frame: small enough to be copied, and readable without the frames files."""
    found = []
    for _, path, shape in parts:
        with h5py.File(path, "r", swmr=True) as file:
            found.append(file[inside][: shape[0]])
    return np.concatenate(found)


def _shape(path: Path) -> tuple[int, ...] | None:
    reader = FrameReader(path)
    try:
        num_frames, frame_shape = reader.num_frames(), reader.frame_shape()
    finally:
        reader.close()
    return None if frame_shape is None else (num_frames, *frame_shape)


def _group(parent: Any, name: str, nexus_class: str, **attributes: str) -> Any:
    group = parent.create_group(name)
    group.attrs["NX_class"] = nexus_class
    for key, value in attributes.items():
        group.attrs[key] = value
    return group


def _quantity(group: Any, name: str, value: object, unit: str) -> None:
    group[name] = value
    group[name].attrs["units"] = unit


def _iso(time_s: float) -> str:
    return datetime.datetime.fromtimestamp(time_s, datetime.UTC).isoformat()
