"""Reading a scan recorded as Data Exchange: /exchange/data, data_white, data_dark and theta.

Layout: De Carlo et al., J. Synchrotron Rad. 21 (2014) 1224.
"""

from pathlib import Path
from typing import Any

import h5py

from simulators.recorded_data import AngleUnit, RecordedScan, RecordedScanError, angles_in_degrees
from simulators.recorded_hdf5 import KEV, UM, angles_of, opened, quantity, stack

PIXEL_SIZES = (
    "measurement/instrument/detection_system/objective/resolution",
    "measurement/instrument/detector/actual_pixel_size_x",
    "measurement/instrument/detector/pixel_size_x",
)
ENERGIES = ("measurement/instrument/monochromator/energy",)


def is_data_exchange(file: Any) -> bool:
    """Whether an open file has the group that Data Exchange prescribes."""
    return isinstance(file.get("exchange"), h5py.Group)


def load_data_exchange(path: Path, *, angle_unit: AngleUnit | None = None) -> RecordedScan:
    """Read a Data Exchange file.

    Raises
    ------
    RecordedScanError
        If the file is damaged or a dataset is missing, with what to add.
    """
    with opened(path) as file:
        exchange = file["exchange"]
        for name, meaning in (("data", "projections"), ("data_white", "flats"), ("data_dark", "darks")):
            if not isinstance(exchange.get(name), h5py.Dataset):
                raise RecordedScanError(
                    f"{path}: /exchange/{name} ({meaning}) is missing. A replay needs darks, flats and projections."
                )
        if not isinstance(exchange.get("theta"), h5py.Dataset):
            raise RecordedScanError(
                f"{path}: /exchange/theta is missing, so nobody knows at which angle the "
                f"{exchange['data'].shape[0]} projections were taken, and none is assumed. Add it: one angle for each "
                "projection, with the attribute units = 'deg'."
            )
        angles, unit = angles_of(exchange["theta"], angle_unit)
        return RecordedScan(
            darks=stack(path, exchange["data_dark"], may_be_one=True),
            flats=stack(path, exchange["data_white"], may_be_one=True),
            projections=stack(path, exchange["data"]),
            angles_deg=angles_in_degrees(angles, unit, f"{path}: /exchange/theta"),
            pixel_size_um=quantity(file, PIXEL_SIZES, UM),
            energy_kev=quantity(file, ENERGIES, KEV),
            source=f"{path} (Data Exchange)",
        )
