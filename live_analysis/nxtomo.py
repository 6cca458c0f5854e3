"""One tomogram as NXtomo: a small file that shows the frames files as one scan, without a copy."""

import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from live_analysis.frame_reader import FrameFileError
from live_analysis.run_follower import TomogramRun
from live_analysis.virtual_frames import FrameSource, frame_source, show_frames
from operando.model.frames import NXTOMO_IMAGE_KEY, FrameKind
from operando.model.run_directory import RunDirectory

ORDER = (FrameKind.DARK, FrameKind.FLAT, FrameKind.PROJECTION, FrameKind.FLAT_AFTER)  # as they are taken


def write_nxtomo(run: RunDirectory, tomogram: TomogramRun, *, title: str) -> Path:
    """Write (or write again) the NXtomo file of a tomogram; return its path.

    The images stay in the frames files; the file holds a relative virtual dataset over them, so it can be moved
    together with the run directory. Kinds of frames that were not taken and quantities that the start document does
    not say are left out.

    Raises
    ------
    FrameFileError
        If the kinds of frames differ in shape.

    References
    ----------
    NeXus application definition NXtomo, https://manual.nexusformat.org/classes/applications/NXtomo.html
    """
    sources = [source for kind in ORDER if (source := frame_source(tomogram, kind, run)) is not None]
    shapes = {source.frame_shape for source in sources}
    if len(shapes) > 1:
        found = ", ".join(f"{source.kind.value} {source.frame_shape}" for source in sources)
        raise FrameFileError(
            f"The frames of {tomogram.name}, attempt {tomogram.attempt}, differ in shape (rows, columns): {found}. "
            "They are not one scan; take darks and flats with the binning and region of the projections."
        )
    path = run.tomogram_file(tomogram.attempt, tomogram.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".nx.new")
    with h5py.File(temporary, "w", libver="latest") as file:
        _write(file, tomogram, sources, title)
    temporary.replace(path)
    return path


def _write(file: Any, tomogram: TomogramRun, sources: list[FrameSource], title: str) -> None:
    start = tomogram.start
    file.attrs["default"] = "entry"
    entry = _group(file, "entry", "NXentry", default="data")
    entry["definition"] = "NXtomo"
    entry["title"] = title
    entry["program_name"] = "operando"
    entry["entry_identifier"] = tomogram.uid
    entry["start_time"] = _iso(start["time"])
    if tomogram.stop is not None:
        entry["end_time"] = _iso(tomogram.stop["time"])
    if tomogram.outcome is not None:
        entry.attrs["outcome"] = str(tomogram.outcome.get("outcome", ""))
        entry.attrs["reason"] = str(tomogram.outcome.get("reason", ""))
    entry.attrs["rehearsal"] = bool(start.get("rehearsal", False))

    _quantity(_group(entry, "beam", "NXbeam"), "incident_energy", tomogram.said("energy_kev"), "keV")
    instrument = _group(entry, "instrument", "NXinstrument")
    _group(instrument, "source", "NXsource")["probe"] = "x-ray"
    detector = _group(instrument, "detector", "NXdetector")
    _quantity(detector, "x_pixel_size", tomogram.said("pixel_size_um"), "um")
    _quantity(detector, "y_pixel_size", tomogram.said("pixel_size_um"), "um")
    sample = _group(entry, "sample", "NXsample")
    sample["name"] = tomogram.name
    data = _group(entry, "data", "NXdata", signal="data")
    if not sources:
        return
    show_frames(detector, "data", sources)
    detector["image_key"] = np.repeat(
        np.array([NXTOMO_IMAGE_KEY[source.kind] for source in sources], np.int32),
        [source.num_frames for source in sources],
    )
    detector["frame_id"] = np.concatenate([source.ids for source in sources])
    times = np.concatenate([source.times for source in sources])
    _quantity(detector, "time_stamp", times, "s")
    if (exposure_s := start.get("exposure_s")) is not None:
        _quantity(detector, "count_time", np.full(times.shape, float(exposure_s)), "s")
    _quantity(sample, "rotation_angle", np.concatenate([source.angles_deg for source in sources]), "degree")
    data["data"] = h5py.SoftLink("/entry/instrument/detector/data")
    data["image_key"] = h5py.SoftLink("/entry/instrument/detector/image_key")
    data["rotation_angle"] = h5py.SoftLink("/entry/sample/rotation_angle")


def _group(parent: Any, name: str, nexus_class: str, **attributes: str) -> Any:
    group = parent.create_group(name)
    group.attrs["NX_class"] = nexus_class
    for key, value in attributes.items():
        group.attrs[key] = value
    return group


def _quantity(group: Any, name: str, value: object, unit: str) -> None:
    if value is not None:
        group[name] = value
        group[name].attrs["units"] = unit


def _iso(time_s: float) -> str:
    return datetime.datetime.fromtimestamp(time_s, datetime.UTC).isoformat()
