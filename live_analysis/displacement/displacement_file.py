"""The displacement of every cuboid as a file, for arrows on slices and as the start of the next state."""

import os
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from live_analysis.displacement.displacement_field import DisplacementField
from live_analysis.displacement.layers import Layer
from operando.model.declared_size import LIST, readable

FILE_NAME = "displacement.h5"
ORDER = "x, y, z upwards"
_NODES = ("node_um", "displacement_um", "fitted_um", "uncertainty_um", "gradient")
_NODE_VALUES = ("correlation", "used", "found", "valid")
_LAYERS = ("height_um", "mean_um", "uncertainty_um", "scatter_um", "noise_um", "num_nodes")


@dataclass(frozen=True)
class Compared:
    """Between which tomograms, by name and by the uid of their run."""

    reference: str
    reference_run_uid: str
    tomogram: str
    run_uid: str


def write_displacement(folder: Path, field: DisplacementField, compared: Compared) -> None:
    """Write ``displacement.h5`` into ``folder``; whoever reads meanwhile finds the old file or the new one."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{FILE_NAME}"
    with h5py.File(unfinished, "w") as file:
        for name in (*_NODES, *_NODE_VALUES):
            file.create_dataset(name, data=getattr(field, name))
        for name in _NODES[:-1]:
            file[name].attrs["units"], file[name].attrs["order"] = "um", ORDER
        for name in _LAYERS:
            file.create_dataset(f"layers/{name}", data=[getattr(layer, name) for layer in field.layers])
        for name, text in vars(compared).items():
            file.attrs[name] = text
        file.attrs["cuboid_um"], file.attrs["shape"] = field.cuboid_um, field.shape
        file.attrs["streaky"] = field.streaky
    os.replace(unfinished, folder / FILE_NAME)


def read_displacement(folder: Path) -> tuple[DisplacementField, Compared]:
    """Read what `write_displacement` wrote.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    with h5py.File(folder / FILE_NAME, "r") as file:
        arrays = {name: np.asarray(readable(file[name], LIST)) for name in (*_NODES, *_NODE_VALUES)}
        columns = {name: np.asarray(readable(file[f"layers/{name}"], LIST)) for name in _LAYERS}
        compared = Compared(*(str(file.attrs[name]) for name in Compared.__dataclass_fields__))
        layers = tuple(
            Layer(**{name: column[index] for name, column in columns.items()})
            for index in range(len(columns["height_um"]))
        )
        num_layers, num_y, num_x = (int(num) for num in file.attrs["shape"])
        field = DisplacementField(
            **arrays,
            shape=(num_layers, num_y, num_x),
            cuboid_um=float(file.attrs["cuboid_um"]),
            layers=layers,
            streaky=bool(file.attrs["streaky"]),
        )
    return field, compared
