"""The planes of a finished tomogram: the analysis' own three, or any three through the volume of the whole view."""

import contextlib
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from operando.model.declared_size import PLANE, VOLUME, check_size, readable, readable_frames
from operando.model.ordinary_file import ordinary_file
from operando.model.plane_wish import PlaneWish
from operando.model.preview_slices import check_planes, known_voxel_um, read_preview
from operando.model.run_directory import RunDirectory
from operando.monitor.inside.state_planes import PLANES, StatePlanes, planes_of_preview, warning_text
from operando.monitor.reading.preview_reader import UNREADABLE
from operando.monitor.reading.run_view import TomogramView

NOT_ABSOLUTE = "grey_values_not_absolute"
NUM_KEPT = 4  # states whose planes are kept, so that two of them are not read again and again
Key = tuple[int, int | None, PlaneWish | None, tuple[tuple[int, int, int] | None, ...]]


class FinishedPlanes:
    """Reads planes of finished tomograms and keeps the last few."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._kept: dict[Key, StatePlanes | None] = {}

    def planes(self, tomogram: TomogramView, wish: PlaneWish | None = None) -> StatePlanes | None:
        """Return the planes of a state, the same object as before if nothing has changed; None if there are none.

        With ``wish`` they are cut from the volume of the whole view, whose voxels are larger, if there is one.
        """
        folder = self._run.volume(tomogram.attempt)
        files = [folder / name for name in ("slices.h5", "masks.h5", "live.h5", "preview.h5")]
        key = tomogram.attempt, tomogram.num_projections, wish, tuple(_version(path) for path in files)
        if key not in self._kept:
            self._kept[key] = self._read(tomogram, wish)
            while len(self._kept) > NUM_KEPT:
                del self._kept[next(iter(self._kept))]
        return self._kept[key]

    def has_slices(self, tomogram: TomogramView) -> bool:
        """Whether the analysis has left slices of a finished volume."""
        return (self._run.volume(tomogram.attempt) / "slices.h5").is_file()

    def why_none(self, tomogram: TomogramView, *, num_measurements: int) -> str:
        """Say why a state has no planes."""
        folder = self._run.volume(tomogram.attempt)
        name = f"{tomogram.name} (attempt {tomogram.attempt})"
        ended = ""
        if tomogram.exit_status not in ("", "success"):
            ended = f" The tomogram ended with {tomogram.exit_status}"
            ended += f": {tomogram.reason}." if tomogram.reason else "."
        if tomogram.stop_s is None:
            return f"{name} is being taken; its slices come with the 16th projection."
        if folder.is_dir() and (folder / "slices.h5").exists():
            return f"{name}: slices.h5 in volumes/{folder.name} cannot be read; it is damaged or still being written."
        if num_measurements and not folder.is_dir():
            measured = f"{num_measurements} value{'s were' if num_measurements > 1 else ' was'} measured in it"
            return f"The volume of {name} was deleted: there is no volumes/{folder.name}, though {measured}.{ended}"
        return f"{name} has no slices yet: there is no slices.h5 in volumes/{folder.name}.{ended}"

    def _read(self, tomogram: TomogramView, wish: PlaneWish | None) -> StatePlanes | None:
        folder = self._run.volume(tomogram.attempt)
        if wish is not None:
            with contextlib.suppress(*UNREADABLE):
                return _cut(folder / "live.h5", tomogram, wish)
        with contextlib.suppress(*UNREADABLE):
            return _read_slices(folder, tomogram)
        with contextlib.suppress(*UNREADABLE):
            return planes_of_preview(read_preview(self._run.preview(tomogram.attempt)))
        return None


def _read_slices(folder: Path, tomogram: TomogramView) -> StatePlanes:
    with h5py.File(ordinary_file(folder / "slices.h5"), "r") as file:
        values = {name: np.asarray(readable(file[name], PLANE)[:], np.float32) for name in PLANES}
        voxel_um = file["xz"].attrs.get("voxel_size_um")
        flags, uid = str(file.attrs.get("flags", "")).split(), str(file.attrs.get("run_uid", ""))
    check_planes(*(values[name].shape for name in PLANES))
    planes = StatePlanes(
        tomogram=tomogram.name,
        values=values,
        # The row that the analysis cuts, and the rotation axis itself.
        at=(values["xz"].shape[0] // 2, (values["yz"].shape[1] - 1) / 2, (values["xz"].shape[1] - 1) / 2),
        voxel_size_um=known_voxel_um(voxel_um),
        told=f"{tomogram.name}: finished volume, {tomogram.num_projections} projections",
        warning=" · ".join(flag.replace("_", " ") for flag in flags),
        source="slices.h5",
    )
    planes.masks.update(_masks(folder / "masks.h5", planes, uid))
    return planes


def _masks(path: Path, planes: StatePlanes, uid: str) -> dict[str, NDArray[np.uint8]]:
    with contextlib.suppress(*UNREADABLE), h5py.File(ordinary_file(path), "r") as file:
        masks = {name: np.asarray(readable(file[name], PLANE)[:], np.uint8) for name in PLANES}
        own = str(file.attrs.get("run_uid", uid)) == uid
        if own and all(masks[name].shape == planes.values[name].shape for name in PLANES):
            return masks
    return {}


def _cut(path: Path, tomogram: TomogramView, wish: PlaneWish) -> StatePlanes:
    """Cut the volume of the whole view, row by row, since its rows are its chunks."""
    with h5py.File(ordinary_file(path), "r") as file:
        volume = readable_frames(readable(file["attenuation"], VOLUME), PLANE)
        num_rows, num_y, num_x = (int(num) for num in volume.shape)
        for num in (num_y, num_x):
            check_size(f"{path}: {volume.name}", (num_rows, num), PLANE)
        row, y, x = wish.voxels((num_rows, num_y, num_x))
        upright = np.empty((num_rows, num_x), np.float32), np.empty((num_rows, num_y), np.float32)
        for number in range(num_rows):
            level = volume[number]
            upright[0][number], upright[1][number] = level[y], level[:, x]
            if number == row:
                across = np.asarray(level, np.float32)
        voxel_um = volume.attrs.get("voxel_size_um")
        coverage = float(file.attrs.get("coverage", 1.0))
        absolute = bool(file.attrs.get("grey_values_absolute", True))
    return StatePlanes(
        tomogram=tomogram.name,
        values={"xy": across, "xz": upright[0], "yz": upright[1]},
        at=(row, y, x),
        voxel_size_um=known_voxel_um(voxel_um),
        told=f"{tomogram.name}: volume of the whole view, {tomogram.num_projections} projections",
        warning=warning_text(coverage=coverage, grey_values_absolute=absolute),
        source="live.h5",
    )


def _version(path: Path) -> tuple[int, int, int] | None:
    with contextlib.suppress(OSError):
        status = path.stat()
        return status.st_ino, status.st_mtime_ns, status.st_size
    return None
