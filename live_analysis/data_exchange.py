"""One tomogram as Data Exchange, for tomopy and its relatives."""

from pathlib import Path
from typing import Any

import h5py

from live_analysis.frame_reader import FrameFileError
from live_analysis.run_follower import TomogramRun
from live_analysis.virtual_frames import frame_source, show_frames
from operando.model.frames import FrameKind
from operando.model.run_directory import RunDirectory

DATASETS = {FrameKind.PROJECTION: "data", FrameKind.FLAT: "data_white", FrameKind.DARK: "data_dark"}


def write_data_exchange(run: RunDirectory, tomogram: TomogramRun, path: Path, *, copied: bool) -> None:
    """Write a tomogram's frames as a Data Exchange file.

    Parameters
    ----------
    path
        New file; it appears when it is whole.
    copied
        Whether the images go into it. Otherwise they stay in the frames files and are shown by relative names: the
        file then is small, but one that is moved without its run directory shows zeros.

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
    if path.exists():
        raise FileExistsError(f"{path}: is there already. Name another file, or remove it.")
    temporary = path.with_name(f"{path.name}.new")
    with h5py.File(temporary, "w") as file:
        file["implements"] = "exchange:measurement"
        exchange = file.create_group("exchange")
        for kind, source in sources.items():
            assert source is not None
            after = frame_source(tomogram, FrameKind.FLAT_AFTER, run) if kind is FrameKind.FLAT else None
            show_frames(exchange, DATASETS[kind], [source, after] if after else [source], copied=copied)
            exchange[DATASETS[kind]].attrs["units"] = "counts"
            if kind is FrameKind.PROJECTION:
                _quantity(exchange, "theta", source.angles_deg, "deg")
        measurement = file.create_group("measurement")
        measurement["sample/name"] = tomogram.name
        _quantity(measurement, "instrument/monochromator/energy", tomogram.said("energy_kev"), "keV")
        resolution = "instrument/detection_system/objective/resolution"
        _quantity(measurement, resolution, tomogram.said("pixel_size_um"), "um")
    temporary.replace(path)


def _quantity(group: Any, name: str, value: object, unit: str) -> None:
    if value is not None:
        group[name] = value
        group[name].attrs["units"] = unit
