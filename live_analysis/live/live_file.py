"""The live volume of a tomogram on disk: whole or not there."""

import os
from pathlib import Path

import h5py

from live_analysis.live.live_volume import FinishedVolume
from live_analysis.live.row_scatter import row_scatter


def write_live_volume(folder: Path, volume: FinishedVolume, *, voxel_size_um: float, run_uid: str) -> Path:
    """Write ``attenuation`` (z downwards, y, x; 1/cm; NaN outside the view) into ``live.h5`` of ``folder``.

    Its attribute ``row_scatter`` says in the same unit how noisy a voxel is at most, see `row_scatter`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "live.h5"
    unfinished = path.with_suffix(".unfinished")
    with h5py.File(unfinished, "w") as file:
        shape = volume.values_per_cm.shape
        dataset = file.create_dataset("attenuation", data=volume.values_per_cm, chunks=(1, *shape[1:]))
        dataset.attrs["units"] = "1/cm"
        dataset.attrs["row_scatter"] = row_scatter(volume.values_per_cm)
        dataset.attrs["voxel_size_um"] = voxel_size_um
        dataset.attrs["order"] = "z (downwards), y, x; centred on the rotation axis"
        file.attrs["run_uid"] = run_uid
        file.attrs["num_projections"] = volume.num_projections
        file.attrs["coverage"] = volume.coverage
        file.attrs["axis_column"] = volume.axis_column
        file.attrs["grey_values_absolute"] = volume.grey_values_absolute
    os.replace(unfinished, path)
    return path
