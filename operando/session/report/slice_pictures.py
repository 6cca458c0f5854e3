"""Slices of every state with one grey scale, and what was found in them as a layer that can be taken off."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from operando.model.declared_size import PLANE, readable
from operando.model.grey_window import GreyWindow, grey_window
from operando.model.run_directory import RunDirectory
from operando.session.report.run_story import TomogramStory
from operando.session.report.slice_colours import averaged, grey_scale, jpeg, mask_png

PLANES = {"xz": "upright slice, x to the right, z up", "yz": "upright slice, y to the right, z up", "xy": "level slice"}
MAX_SIDE_PX = 720  # of a picture in the page; larger slices are averaged down
BAR_SHARE = 0.3  # of a slice's width, at most


@dataclass(frozen=True)
class SlicePicture:
    """One slice: addresses that hold the pictures themselves; ``mask`` is empty where nothing was segmented.

    The scale bar is ``bar_percent`` of the picture's width and ``bar_text`` long, with its unit.
    """

    plane: str
    told: str
    image: str
    mask: str
    width_px: int
    height_px: int
    bar_percent: float
    bar_text: str


@dataclass(frozen=True)
class StatePictures:
    """The slices of one state, or why there are none."""

    state: str
    pictures: tuple[SlicePicture, ...]
    note: str


@dataclass(frozen=True)
class Gallery:
    """All states and the one grey scale that they share, in ``unit``."""

    states: tuple[StatePictures, ...]
    window: GreyWindow | None
    unit: str
    scale: Markup
    has_masks: bool


@dataclass(frozen=True)
class _Slices:
    planes: dict[str, NDArray[np.float32]]
    masks: dict[str, NDArray[np.uint8]]
    voxel_size_um: float | None
    unit: str
    note: str


def gallery(run: RunDirectory, states: list[TomogramStory]) -> Gallery:
    """Read the slices of the last attempt at every tomogram and draw them alike."""
    found: dict[str, _Slices | str] = {state.name: _read(run.volume(state.attempt), state) for state in states}
    read = [slices for slices in found.values() if isinstance(slices, _Slices)]
    unit = read[0].unit if read else "1/cm"
    shown = [plane[np.isfinite(plane)] for slices in read if slices.unit == unit for plane in slices.planes.values()]
    window = grey_window(np.concatenate(shown)) if shown else None
    pictures = []
    for name, slices in found.items():
        if isinstance(slices, str):
            pictures.append(StatePictures(name, (), slices))
        elif window is None or slices.unit != unit:
            pictures.append(StatePictures(name, (), f"Its slices are in {slices.unit}, those of the others in {unit}."))
        else:
            pictures.append(StatePictures(name, tuple(_pictures(name, slices, window)), slices.note))
    scale = Markup("") if window is None else grey_scale(window, unit)
    return Gallery(tuple(pictures), window, unit, scale, any(slices.masks for slices in read))


def _read(folder: Path, state: TomogramStory) -> _Slices | str:
    path = folder / "slices.h5"
    if not path.is_file():
        return f"No slices: {path.parent.name}/slices.h5 was not written."
    try:
        with h5py.File(path, "r") as file:
            planes = {name: np.asarray(readable(file[name], PLANE)[:], np.float32) for name in PLANES}
            attributes = file["xz"].attrs
            unit, voxel_um = str(attributes.get("units", "1/cm")), attributes.get("voxel_size_um")
            flags = str(file.attrs.get("flags", "")).split()
            own = str(file.attrs.get("run_uid", state.uid)) == state.uid
    except (OSError, KeyError, ValueError, TypeError) as error:
        return f"No slices: {path.parent.name}/slices.h5 cannot be read ({error})."
    if any(plane.ndim != 2 or plane.size == 0 for plane in planes.values()):
        return f"No slices: {path.parent.name}/slices.h5 does not hold three planes."
    note = f"attempt {state.attempt}"
    note += "; offset and gain of its grey values are unknown" if "grey_values_not_absolute" in flags else ""
    note += "" if own else "; its slices belong to another run of the same number"
    masks, problem = _masks(folder / "masks.h5", planes, state.uid)
    voxel_size_um = None if voxel_um is None or not float(voxel_um) > 0 else float(voxel_um)
    return _Slices(planes, masks, voxel_size_um, unit, note + problem)


def _masks(path: Path, planes: dict[str, NDArray[np.float32]], uid: str) -> tuple[dict[str, NDArray[np.uint8]], str]:
    if not path.is_file():
        return {}, ""
    try:
        with h5py.File(path, "r") as file:
            masks = {name: np.asarray(readable(file[name], PLANE)[:], np.uint8) for name in planes}
            own = str(file.attrs.get("run_uid", uid)) == uid
    except (OSError, KeyError, ValueError, TypeError) as error:
        return {}, f"; masks.h5 cannot be read ({error})"
    if not own or any(masks[name].shape != plane.shape for name, plane in planes.items()):
        return {}, "; masks.h5 does not belong to these slices"
    return masks, ""


def _pictures(state: str, slices: _Slices, window: GreyWindow) -> list[SlicePicture]:
    pictures = []
    voxel = 1.0 if slices.voxel_size_um is None else slices.voxel_size_um
    unit = "voxels" if slices.voxel_size_um is None else "µm"
    for name, words in PLANES.items():
        plane = slices.planes[name]
        factor = -(-max(plane.shape) // MAX_SIDE_PX)
        height, width = (side // factor for side in plane.shape)
        if not height or not width:
            continue
        across = plane.shape[1] * voxel
        bar = _round_length(BAR_SHARE * across)
        mask = slices.masks.get(name)
        pictures.append(
            SlicePicture(
                name,
                f"{state}: {words}, {across:.0f} {unit} wide, grey from {window.black_per_cm:g} (black) to "
                f"{window.white_per_cm:g} {slices.unit} (white)",
                jpeg(averaged(plane, factor), window),
                "" if mask is None or not mask.any() else mask_png(mask, factor),
                width,
                height,
                100.0 * bar / across,
                f"{bar:g} {unit}",
            )
        )
    return pictures


def _round_length(longest: float) -> float:
    power = 10.0 ** np.floor(np.log10(longest))
    return float(max(step * power for step in (1, 2, 5) if step * power <= longest * (1 + 1e-9)))
