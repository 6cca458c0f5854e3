"""The cracks of a tomogram as a file, with the matrix between the particles: later states are compared with both."""

import os
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from live_analysis.cracks.matrix_blocks import MatrixBlocks
from live_analysis.cracks.placed_crack import PlacedCrack
from live_analysis.cracks.pristine_matrix import PristineMatrix
from operando.model.declared_size import LIST, VOLUME, readable

NAME = "cracks.h5"
_COLUMNS = {
    "x_um": "um",
    "y_um": "um",
    "height_um": "um",
    "pristine_height_um": "um",
    "normal": "1",
    "area_um2": "um2",
    "volume_um3": "um3",
}


@dataclass(frozen=True)
class CrackState:
    """The cracks of one tomogram, and its matrix as later states will want to see it.

    ``face_um`` is the height of the interface above the cathode, None where it was not found.
    """

    cracks: tuple[PlacedCrack, ...]
    matrix: PristineMatrix
    face_um: float | None
    tomogram: str
    run_uid: str


def write_cracks(folder: Path, state: CrackState) -> None:
    """Write ``cracks.h5`` into ``folder``; whoever reads meanwhile finds the old file or the new one."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished, blocks = folder / f".{NAME}", state.matrix.blocks
    with h5py.File(unfinished, "w") as file:
        for name, unit in _COLUMNS.items():
            shape = (len(state.cracks), 3) if name == "normal" else (len(state.cracks),)
            values = np.array([getattr(crack, name) for crack in state.cracks], np.float64).reshape(shape)
            file.create_dataset(f"cracks/{name}", data=values).attrs["units"] = unit
        thickness = [crack.thickness_um for crack in state.cracks]
        file.create_dataset("cracks/thickness_um", data=np.array(thickness, np.float64)).attrs["units"] = "um"
        file.create_dataset("matrix/sums_per_cm", data=blocks.sums_per_cm.astype(np.float32)).attrs["units"] = "1/cm"
        file.create_dataset("matrix/counts", data=blocks.counts.astype(np.uint16))
        file["matrix"].attrs["order"] = "z (downwards), y, x; sums over the voxels of the matrix in blocks"
        file["matrix"].attrs["width"], file["matrix"].attrs["voxel_size_um"] = blocks.width, blocks.voxel_size_um
        file["matrix"].attrs["top_um"] = state.matrix.top_um
        if state.face_um is not None:
            file["matrix"].attrs["face_height_um"] = state.face_um
        file.attrs["tomogram"], file.attrs["run_uid"] = state.tomogram, state.run_uid
    os.replace(unfinished, folder / NAME)


def read_cracks(folder: Path) -> CrackState:
    """Read what `write_cracks` wrote.

    Raises
    ------
    OSError, KeyError
        If there is no such file, or it is not whole.
    """
    with h5py.File(folder / NAME) as file:
        matrix = file["matrix"]
        sums, counts = (np.asarray(readable(matrix[name], VOLUME), np.float64) for name in ("sums_per_cm", "counts"))
        blocks = MatrixBlocks(
            sums, counts, np.ones_like(sums), int(matrix.attrs["width"]), float(matrix.attrs["voxel_size_um"])
        )
        columns = {name: np.asarray(readable(file[f"cracks/{name}"], LIST), np.float64) for name in _COLUMNS}
        return CrackState(
            _cracks(columns),
            PristineMatrix(blocks, float(matrix.attrs["top_um"])),
            float(matrix.attrs["face_height_um"]) if "face_height_um" in matrix.attrs else None,
            str(file.attrs["tomogram"]),
            str(file.attrs["run_uid"]),
        )


def _cracks(columns: dict[str, NDArray[np.float64]]) -> tuple[PlacedCrack, ...]:
    normals = [(float(x), float(y), float(z)) for x, y, z in columns["normal"]]
    numbers = [name for name in _COLUMNS if name != "normal"]
    return tuple(
        PlacedCrack(normal=normal, **{name: float(columns[name][index]) for name in numbers})
        for index, normal in enumerate(normals)
    )
