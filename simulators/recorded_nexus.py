"""Reading a scan recorded as NXtomo: one dataset of frames, ``image_key`` and ``rotation_angle`` beside it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from operando.model.declared_size import LIST, readable
from operando.model.frames import NXTOMO_IMAGE_KEY, FrameKind
from simulators.recorded_data import AngleUnit, RecordedScan, RecordedScanError, angles_in_degrees
from simulators.recorded_hdf5 import KEV, UM, angles_of, opened, quantity, stack

MAX_DEPTH = 8
INVALID_IMAGE_KEY = 3
ALIGNMENT_IMAGE_KEY = -1  # only in image_key_control: projections taken again after the scan, to see whether it moved


def load_nxtomo(path: Path, *, angle_unit: AngleUnit | None = None) -> RecordedScan:
    """Read an NXtomo file; groups are found by their NX_class, whatever they are called.

    Raises
    ------
    RecordedScanError
        If the file is damaged or is no NXtomo.
    """
    with opened(path) as file:
        detector, notes = _detector(path, file)
        groups = _scope(detector)
        rotation = _rotation(groups)
        if rotation is None:
            raise RecordedScanError(f"{path}: no rotation_angle found. Write it into the NXsample, in degrees.")
        keys = _keys(detector)
        frames = detector["data"]
        angles, unit = angles_of(rotation, angle_unit)
        if frames.ndim == 3 and not len(keys) == frames.shape[0] == len(angles):
            raise RecordedScanError(
                f"{path}: {frames.shape[0]} frames, {len(keys)} image keys and {len(angles)} rotation angles; "
                "there must be one of each for every frame. The scan was probably cut short."
            )
        stacks = {
            kind: stack(path, frames, np.flatnonzero(keys == NXTOMO_IMAGE_KEY[kind])) for kind in NXTOMO_IMAGE_KEY
        }
        pixel_size_um, pixel_size_name = _pixel_size_um(detector, groups)
        energy_kev = next((found for kind, group in groups if (found := _energy_kev(kind, group)) is not None), None)
    notes += _about_keys(keys)
    if pixel_size_um is not None:
        notes.append(f"{pixel_size_name}, {pixel_size_um:g} um, is taken as the size of a pixel in the sample.")
    return RecordedScan(
        darks=stacks[FrameKind.DARK],
        flats=stacks[FrameKind.FLAT],
        projections=stacks[FrameKind.PROJECTION],
        angles_deg=angles_in_degrees(angles[list(stacks[FrameKind.PROJECTION].indices)], unit, str(path)),
        pixel_size_um=pixel_size_um,
        energy_kev=energy_kev,
        source=f"{path} (NXtomo)",
        notes=tuple(notes),
    )


def _keys(detector: Any) -> NDArray[Any]:
    """Return one image key for each frame; frames that image_key_control says are for alignment have its key."""
    keys = np.asarray(readable(detector["image_key"], LIST)[()]).ravel()
    control = detector.get("image_key_control")
    if isinstance(control, h5py.Dataset) and control.size == keys.size:
        keys = np.where(np.ravel(readable(control, LIST)[()]) == ALIGNMENT_IMAGE_KEY, ALIGNMENT_IMAGE_KEY, keys)
    return keys


def _pixel_size_um(detector: Any, groups: list[tuple[str, Any]]) -> tuple[float | None, str]:
    """Return the size of a pixel and what it is called: in the sample if it is said, else that of the detector."""
    places = [("NXsample", group, "x_pixel_size") for kind, group in groups if kind == "NXsample"]
    places += [("NXdetector", detector, name) for name in ("x_magnified_pixel_size", "x_pixel_size")]
    for kind, group, name in places:
        if (found := quantity(group, (name,), UM)) is not None:
            return found, f"{name} of the {kind}"
    return None, ""


def _about_keys(keys: NDArray[Any]) -> list[str]:
    notes = []
    flats, projections = (
        np.flatnonzero(keys == NXTOMO_IMAGE_KEY[kind]) for kind in (FrameKind.FLAT, FrameKind.PROJECTION)
    )
    if flats.size and projections.size and flats[0] < projections[-1] and flats[-1] > projections[0]:
        notes.append("Flats were recorded before and after, or among, the projections; their mean is used for all.")
    if num_alignment := int(np.count_nonzero(keys == ALIGNMENT_IMAGE_KEY)):
        notes.append(f"{num_alignment} frames were taken for alignment after the scan and are left out.")
    known = (*NXTOMO_IMAGE_KEY.values(), INVALID_IMAGE_KEY, ALIGNMENT_IMAGE_KEY)
    if num_unknown := int(np.count_nonzero(~np.isin(keys, known))):
        notes.append(f"{num_unknown} frames have an image key that is none of 0 to 3 and are left out.")
    if num_invalid := int(np.count_nonzero(keys == INVALID_IMAGE_KEY)):
        notes.append(f"{num_invalid} frames are marked invalid and left out.")
    return notes


def _detector(path: Path, file: Any) -> tuple[Any, list[str]]:
    """Return the first group that holds frames with image keys; a note tells of others.

    Some programs write the names of NXtomo without the classes.
    """
    for wanted in ("NXdetector", "NXdata", ""):
        found: list[Any] = []
        for kind, group in _groups(file):
            if wanted in ("", kind) and _holds_frames(group) and all(group["data"] != other["data"] for other in found):
                found.append(group)
        if found:
            others = ", ".join(group.name for group in found[1:])
            return found[0], [f"The scan in {found[0].name} is taken; there are others in {others}."] if others else []
    for _, group in _groups(file):
        link = group.get("data", getlink=True) if "image_key" in group and group.get("data") is None else None
        if isinstance(link, h5py.ExternalLink):
            raise RecordedScanError(
                f"{path}: the frames of {group.name} lie in {link.filename}, which is not there. Copy it beside this "
                "file."
            )
    raise RecordedScanError(
        f"{path}: no NXdetector with data and image_key found; it is neither NXtomo nor Data Exchange "
        "(/exchange/data). Convert the scan to one of them or to a folder of TIFFs."
    )


def _scope(detector: Any) -> list[tuple[str, Any]]:
    """Return the groups of the smallest part of the file around the detector that has a rotation angle.

    A file may hold several scans; the angle of another one must not be taken for this one's.
    """
    group = detector
    while group.name != "/":
        group = group.parent
        groups = list(_groups(group))
        if _rotation(groups) is not None:
            return groups
    return list(_groups(group))


def _groups(group: Any, depth: int = 0, seen: set[tuple[int, int]] | None = None) -> Iterator[tuple[str, Any]]:
    """Yield every group below one with its class, once: links may lead back, and in many ways to each."""
    seen = set() if seen is None else seen
    for name in group:
        child = group.get(name)  # a broken link gives None
        if not isinstance(child, h5py.Group) or depth >= MAX_DEPTH:
            continue
        about = h5py.h5o.get_info(child.id)
        if (about.fileno, about.addr) in seen:
            continue
        seen.add((about.fileno, about.addr))
        kind = child.attrs.get("NX_class", "")
        yield (kind.decode() if isinstance(kind, bytes) else str(kind)), child
        yield from _groups(child, depth + 1, seen)


def _holds_frames(group: Any) -> bool:
    return all(isinstance(group.get(name), h5py.Dataset) for name in ("data", "image_key"))


def _rotation(groups: list[tuple[str, Any]]) -> Any:
    for wanted in ("NXsample", "NXdata", ""):
        for kind, group in groups:
            if wanted in ("", kind) and isinstance(group.get("rotation_angle"), h5py.Dataset):
                return group["rotation_angle"]
    return None


def _energy_kev(kind: str, group: Any) -> float | None:
    # An NXsource also has an energy, but that is the storage ring's.
    return quantity(group, ("incident_energy", "energy"), KEV) if kind in ("NXbeam", "NXmonochromator") else None
