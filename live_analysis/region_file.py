"""The analysis region as a file of its own, for those who want to look at it or measure something else."""

from pathlib import Path

import h5py

from live_analysis.region_volume import RegionVolume


def write_region(folder: Path, region: RegionVolume, *, pixel_size_um: float, run_uid: str) -> None:
    """Write the voxels of the region without its margin into ``folder``, in 1/cm."""
    values = region.values_per_cm[region.core]
    folder.mkdir(parents=True, exist_ok=True)
    with h5py.File(folder / "region.h5", "w") as file:
        dataset = file.create_dataset("region", data=values, chunks=(1, *values.shape[1:]))
        dataset.attrs["units"] = "1/cm"
        dataset.attrs["voxel_size_um"] = pixel_size_um
        dataset.attrs["order"] = "z (downwards), y, x; centred on the rotation axis"
        dataset.attrs["first_row"] = region.rows.start + region.core[0].start
        dataset.attrs["run_uid"] = run_uid
