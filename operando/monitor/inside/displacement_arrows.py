"""How far each part of a state has moved, as arrows in three planes."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from operando.model.declared_size import LIST, readable
from operando.model.ordinary_file import ordinary_file
from operando.monitor.inside.state_planes import PLANES, StatePlanes
from operando.monitor.reading.preview_reader import UNREADABLE
from operando.monitor.reading.shown_text import shown_name

ARROW_SHARE = 1.5  # of the distance between cuboids: so long is an arrow of the told length
USUAL_PERCENTILE = 98.0  # of all displacements: a few that are wrong do not make the others short
NODES = ("node_um", "displacement_um")
AXES = {"xy": (0, 1, 2), "xz": (0, 2, 1), "yz": (1, 2, 0)}  # of x, y, z: to the right, downwards, through it


@dataclass(frozen=True, eq=False)
class Displacement:
    """Where cuboids were and how far they moved, µm, shapes (n, 3): x and y from the axis, z up from the bottom."""

    reference: str
    node_um: NDArray[np.float64]
    moved_um: NDArray[np.float64]
    cuboid_um: float


@dataclass(frozen=True, eq=False)
class Arrows:
    """Arrows in the planes by name, as parts of their widths and heights, shapes (n, 2): right and down.

    Parameters
    ----------
    starts, moves
        Where arrows begin, and what they are long.
    told_um, told_share
        A round length, and which part of the width of each plane an arrow of it is long.
    reference
        The state since which it moved.
    """

    starts: dict[str, NDArray[np.float64]]
    moves: dict[str, NDArray[np.float64]]
    told_um: float
    told_share: dict[str, float]
    reference: str


def read_displacement(folder: Path, run_uid: str = "") -> Displacement | None:
    """Read what digital volume correlation has left beside a volume; None if there is nothing that can be read."""
    with contextlib.suppress(*UNREADABLE), h5py.File(ordinary_file(folder / "displacement.h5"), "r") as file:
        node_um, moved_um = (np.asarray(readable(file[name], LIST)[:], np.float64) for name in NODES)
        valid = np.asarray(readable(file["valid"], LIST)[:], np.bool_)
        if node_um.ndim != 2 or node_um.shape[1] != 3 or node_um.shape != moved_um.shape or len(valid) != len(node_um):
            return None
        valid &= np.isfinite(node_um).all(axis=1) & np.isfinite(moved_um).all(axis=1)
        cuboid_um = float(file.attrs["cuboid_um"])
        if not cuboid_um > 0:
            return None
        return Displacement(shown_name(file.attrs.get("reference", "")), node_um[valid], moved_um[valid], cuboid_um)
    return None


def arrows(displacement: Displacement, planes: StatePlanes) -> Arrows | None:
    """Return the arrows of the layer of cuboids next to each plane; None if the planes have no size in µm."""
    voxel_um = planes.voxel_size_um
    if voxel_um is None or not len(displacement.node_um):
        return None
    num_rows, num_y, num_x = planes.shape
    sizes_um = np.array([num_x, num_y, num_rows]) * voxel_um
    origin_um = np.array([sizes_um[0] / 2, sizes_um[1] / 2, sizes_um[2]])  # of the picture's first voxel's corner
    upwards = np.array([1.0, 1.0, -1.0])
    at_um = (displacement.node_um * upwards) + origin_um
    moved_um = displacement.moved_um * upwards
    row, y, x = planes.at
    cut_um = (np.array([x, y, row]) + 0.5) * voxel_um
    told_um = _round_length(float(np.percentile(np.linalg.norm(moved_um, axis=1), USUAL_PERCENTILE)))
    times = ARROW_SHARE * displacement.cuboid_um / told_um
    starts, moves = {}, {}
    for name in PLANES:
        right, down, through = AXES[name]
        along_um = at_um[:, through]
        layer_um = along_um[np.argmin(np.abs(along_um - cut_um[through]))]
        near = np.abs(along_um - layer_um) <= voxel_um
        if abs(layer_um - cut_um[through]) > displacement.cuboid_um:
            near[:] = False
        starts[name] = at_um[near][:, [right, down]] / sizes_um[[right, down]]
        moves[name] = times * moved_um[near][:, [right, down]] / sizes_um[[right, down]]
    told_share = {name: float(times * told_um / sizes_um[AXES[name][0]]) for name in PLANES}
    return Arrows(starts, moves, told_um, told_share, displacement.reference)


def _round_length(about: float) -> float:
    """Return the smallest of 1, 2, 5, 10, 20, ... times any power of ten that is not shorter."""
    about = max(about, 1e-3)
    power = 10.0 ** np.floor(np.log10(about))
    return float(next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= about * (1 - 1e-9)))
