"""Reading a scan recorded as NXtomo: one dataset of frames, ``image_key`` and ``rotation_angle`` beside it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from operando.model.frames import NXTOMO_IMAGE_KEY, FrameKind
from simulators.recorded_data import AngleUnit, RecordedScan, RecordedScanError, angles_in_degrees
from simulators.recorded_hdf5 import KEV, UM, angles_of, opened, quantity, stack

MAX_DEPTH = 8
INVALID_IMAGE_KEY = 3


def load_nxtomo(path: Path, *, angle_unit: AngleUnit | None = None) -> RecordedScan:
    """Read an NXtomo file; groups are found by their NX_class, whatever they are called.

    Raises
    ------
    RecordedScanError
        If the file is damaged or is no NXtomo.
    """
    with opened(path) as file:
        groups = list(_groups(file))
        detector = next((group for kind, group in groups if kind == "NXdetector" and _holds_frames(group)), None)
        detector = detector or next(
            (group for kind, group in groups if kind == "NXdata" and _holds_frames(group)), None
        )
        if detector is None:
            raise RecordedScanError(
                f"{path}: no NXdetector with data and image_key found; it is neither NXtomo nor Data Exchange "
                "(/exchange/data). Convert the scan to one of them or to a folder of TIFFs."
            )
        rotation = _rotation(groups)
        if rotation is None:
            raise RecordedScanError(f"{path}: no rotation_angle found. Write it into the NXsample, in degrees.")
        keys = np.asarray(detector["image_key"][()]).ravel()
        frames = detector["data"]
        angles, unit = angles_of(rotation, angle_unit)
        if not len(keys) == frames.shape[0] == len(angles):
            raise RecordedScanError(
                f"{path}: {frames.shape[0]} frames, {len(keys)} image keys and {len(angles)} rotation angles; "
                "there must be one of each for every frame. The scan was probably cut short."
            )
        stacks = {
            kind: stack(path, frames, np.flatnonzero(keys == NXTOMO_IMAGE_KEY[kind])) for kind in NXTOMO_IMAGE_KEY
        }
        pixel_size_um = quantity(detector, ("x_pixel_size", "x_magnified_pixel_size"), UM)
        energy_kev = next((found for kind, group in groups if (found := _energy_kev(kind, group)) is not None), None)
    notes = []
    if num_invalid := int(np.count_nonzero(keys == INVALID_IMAGE_KEY)):
        notes.append(f"{num_invalid} frames are marked invalid and left out.")
    if pixel_size_um is not None:
        notes.append(f"x_pixel_size, {pixel_size_um:g} um, is taken as the size of a pixel in the sample.")
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


def _groups(group: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    for name in group:
        child = group.get(name)  # a broken link gives None
        if not isinstance(child, h5py.Group) or depth >= MAX_DEPTH:
            continue
        kind = child.attrs.get("NX_class", "")
        yield (kind.decode() if isinstance(kind, bytes) else str(kind)), child
        yield from _groups(child, depth + 1)


def _holds_frames(group: Any) -> bool:
    return all(isinstance(group.get(name), h5py.Dataset) for name in ("data", "image_key"))


def _rotation(groups: list[tuple[str, Any]]) -> Any:
    for wanted in ("NXsample", "NXdata"):
        for kind, group in groups:
            if kind == wanted and isinstance(group.get("rotation_angle"), h5py.Dataset):
                return group["rotation_angle"]
    return None


def _energy_kev(kind: str, group: Any) -> float | None:
    # An NXsource also has an energy, but that is the storage ring's.
    return quantity(group, ("incident_energy", "energy"), KEV) if kind in ("NXbeam", "NXmonochromator") else None
