"""Opening a recorded scan, whichever of the three formats it has: folder of TIFFs, NXtomo, Data Exchange."""

from pathlib import Path

import h5py

from simulators.recorded_data import AngleUnit, RecordedScan, RecordedScanError
from simulators.recorded_data_exchange import is_data_exchange, load_data_exchange
from simulators.recorded_hdf5 import opened
from simulators.recorded_nexus import load_nxtomo
from simulators.recorded_tiffs import load_tiff_folder

HDF5_ENDINGS = (".h5", ".hdf5", ".hdf", ".nx", ".nxs")


def load_recorded_scan(path: Path, *, angle_unit: AngleUnit | None = None) -> RecordedScan:
    """Open a recorded scan; frames are read later, one by one.

    Parameters
    ----------
    path
        A folder with TIFFs, or an HDF5 file in the layout of NXtomo or Data Exchange.
    angle_unit
        Unit of the recorded angles where the files do not say it or say it wrongly.

    Raises
    ------
    RecordedScanError
        If the scan is missing, damaged or says too little to be replayed.
    """
    if path.is_dir():
        return load_tiff_folder(path, angle_unit=angle_unit)
    if not path.exists():
        raise RecordedScanError(
            f"{path}: there is no such file or folder. Give a folder of TIFFs, an NXtomo file or a Data Exchange file."
        )
    if path.suffix.lower() in (".tif", ".tiff"):
        raise RecordedScanError(
            f"{path}: is one TIFF file. Give the folder that holds it together with darks (dark*.tif), flats "
            "(flat*.tif) and angles.txt. A volume that is reconstructed already cannot be replayed."
        )
    if not h5py.is_hdf5(path) and path.suffix.lower() not in HDF5_ENDINGS:
        raise RecordedScanError(
            f"{path}: is neither a folder of TIFFs nor an HDF5 file. Give a folder of TIFFs, an NXtomo file or a "
            "Data Exchange file."
        )
    with opened(path) as file:
        exchanged = is_data_exchange(file)
    if exchanged:
        return load_data_exchange(path, angle_unit=angle_unit)
    return load_nxtomo(path, angle_unit=angle_unit)
