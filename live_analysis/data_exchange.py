"""One tomogram as Data Exchange, for tomopy and its relatives: shows the frames files without a copy."""

from pathlib import Path
from typing import Any

import h5py

from live_analysis.frame_reader import FrameFileError
from live_analysis.run_follower import TomogramRun
from live_analysis.virtual_frames import frame_source, show_frames
from operando.model.frames import FrameKind
from operando.model.run_directory import RunDirectory

DATASETS = {FrameKind.PROJECTION: "data", FrameKind.FLAT: "data_white", FrameKind.DARK: "data_dark"}


def write_data_exchange(run: RunDirectory, tomogram: TomogramRun, path: Path) -> None:
    """Write a tomogram's frames as a Data Exchange file; its images stay in the frames files, by relative names.

    Parameters
    ----------
    path
        New file; it finds the frames as long as both are moved together.

    Raises
    ------
    FrameFileError
        If a kind of frames is missing, since Data Exchange needs all three.
    FileExistsError
        If ``path`` exists.

    References
    ----------
    De Carlo et al., J. Synchrotron Rad. 21 (2014) 1224.
    """
    sources = {kind: frame_source(tomogram, kind, run) for kind in DATASETS}
    if missing := [kind.value for kind, source in sources.items() if source is None]:
        raise FrameFileError(
            f"{tomogram.name}, attempt {tomogram.attempt}, has no {' and no '.join(missing)} frames, and Data Exchange "
            "needs all three kinds. The NXtomo file shows what there is."
        )
    with h5py.File(path, "x", libver="latest") as file:
        file["implements"] = "exchange:measurement"
        exchange = file.create_group("exchange")
        for kind, source in sources.items():
            assert source is not None
            show_frames(exchange, DATASETS[kind], [source])
            exchange[DATASETS[kind]].attrs["units"] = "counts"
            if kind is FrameKind.PROJECTION:
                _quantity(exchange, "theta", source.angles_deg, "deg")
        measurement = file.create_group("measurement")
        measurement["sample/name"] = tomogram.name
        start = tomogram.start
        _quantity(measurement, "instrument/monochromator/energy", start.get("energy_kev"), "keV")
        _quantity(measurement, "instrument/detection_system/objective/resolution", start.get("pixel_size_um"), "um")


def _quantity(group: Any, name: str, value: object, unit: str) -> None:
    if value is not None:
        group[name] = value
        group[name].attrs["units"] = unit
