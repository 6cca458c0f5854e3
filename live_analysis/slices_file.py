"""The three slices of a tomogram as numbers, for those who want to compare them with another reconstruction."""

from pathlib import Path

import h5py

from live_analysis.slices_picture import OrthogonalSlices


def write_slices(folder: Path, slices: OrthogonalSlices, *, flags: tuple[str, ...], run_uid: str) -> None:
    """Write ``xy``, ``xz`` and ``yz`` into ``folder``, NaN outside the view, with the flags of their grey values."""
    folder.mkdir(parents=True, exist_ok=True)
    with h5py.File(folder / "slices.h5", "w") as file:
        for name, order in (("xy", "y, x"), ("xz", "z (downwards), x"), ("yz", "z (downwards), y")):
            dataset = file.create_dataset(name, data=getattr(slices, name))
            dataset.attrs["units"] = slices.unit
            if slices.voxel_size_um is not None:
                dataset.attrs["voxel_size_um"] = slices.voxel_size_um
            dataset.attrs["order"] = f"{order}; centred on the rotation axis"
        file.attrs["flags"] = " ".join(flags)
        file.attrs["run_uid"] = run_uid
