"""Commands about what was imaged: frames for other programs, whole volumes, their phases."""

from pathlib import Path
from typing import Annotated

import typer

from operando.cli.options import AngleUnit, AsJson, RunFolder, terminal
from operando.model.expendable import ANALYSIS_NICENESS, become_expendable
from operando.session.lasting_console import LastingConsole


def export(
    run: RunFolder,
    tomogram: Annotated[
        str, typer.Argument(metavar="TOMOGRAM", help="Name (its last attempt is taken) or number of an attempt.")
    ],
    file_format: Annotated[str, typer.Option("--format", help="dxfile: Data Exchange, as tomopy reads it.")] = "dxfile",
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="New file (default: in RUN/tomograms).")
    ] = None,
    linked: Annotated[
        bool, typer.Option("--linked", help="Leave the images in the run and refer to them; do not move the file.")
    ] = False,
) -> None:
    """Write one tomogram for other programs.

    A Data Exchange file holds exchange/data, data_white, data_dark and theta; 'operando replay' reads it too. NXtomo
    files of all tomograms are in RUN/tomograms already.
    """
    from operando.session.export import export_tomogram

    raise typer.Exit(export_tomogram(run, tomogram, terminal(), file_format=file_format, output=output, linked=linked))


def reconstruct(
    source: Annotated[
        Path,
        typer.Argument(metavar="SOURCE", help="Run directory, NXtomo or Data Exchange file, or folder of TIFFs."),
    ],
    tomogram: Annotated[
        str | None, typer.Argument(metavar="TOMOGRAM", help="Of a run: name or number of an attempt.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR.zarr", help="Where the volume goes (default: beside SOURCE).")
    ] = None,
    engine: Annotated[str, typer.Option("--engine", help="Reconstruction engine.")] = "native",
    rows: Annotated[str | None, typer.Option("--rows", metavar="A:B", help="Only these detector rows.")] = None,
    region: Annotated[
        str | None, typer.Option("--region", metavar="X0:X1,Y0:Y1", help="Only these voxels of every slice.")
    ] = None,
    axis: Annotated[
        float | None, typer.Option("--axis", metavar="COLUMN", help="Rotation axis, instead of finding it.")
    ] = None,
    pixel_size: Annotated[
        str | None, typer.Option("--pixel-size", help="Pixel size in the sample, as in '2.5 um', if none is recorded.")
    ] = None,
    angle_unit: AngleUnit = None,
    keep_stripes: Annotated[
        bool, typer.Option("--keep-stripes", help="Leave stripes of the sinograms (rings) as they are.")
    ] = False,
    levels: Annotated[int | None, typer.Option("--levels", min=1, max=12, help="Levels of the pyramid.")] = None,
    noise: Annotated[bool, typer.Option("--noise", help="Also write the standard uncertainty of every voxel.")] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Also with less than three quarters of the half turn.")
    ] = False,
    memory: Annotated[
        str | None, typer.Option("--memory", help="What may be used (default: half of what is free, at most 8GB).")
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Threads (default: all cores).")] = None,
    again: Annotated[bool, typer.Option("--again", help="Throw a volume away that is there, and begin anew.")] = False,
    dask: Annotated[
        str | None, typer.Option("--dask", metavar="ADDRESS", help="Let workers of this Dask scheduler make the slabs.")
    ] = None,
) -> None:
    """Reconstruct a whole volume from frames on disk.

    Slab by slab, with memory that does not grow with the number of slices, to OME-Zarr in 1/cm. Whoever was interrupted
    or killed gives the same command again: it goes on with the slabs that are missing.
    Exit code: 0 complete, 2 cannot be done as asked, 130 stopped by a person.
    """
    from operando.session.reconstructing import ReconstructRequest
    from operando.session.reconstructing import reconstruct as reconstruct_volume
    from operando.session.volume_options import volume_settings

    become_expendable(niceness=ANALYSIS_NICENESS)
    settings = volume_settings(
        engine,
        rows,
        region,
        axis,
        pixel_size,
        partial=partial,
        keep_stripes=keep_stripes,
        noise=noise,
        levels=levels,
    )
    request = ReconstructRequest(source, tomogram, out, settings, memory, threads, angle_unit, again, dask)
    raise typer.Exit(reconstruct_volume(request, terminal(LastingConsole)))


def phases(
    volume: Annotated[
        Path,
        typer.Argument(metavar="VOLUME", help="TIFF (or folder of slices), OME-Zarr, HDF5 (FILE.h5:/NAME) or .npy."),
    ],
    classes: Annotated[
        int | None, typer.Option("--classes", metavar="N", help="Divide grey values into 2 to 5 classes (usually 3).")
    ] = None,
    labels: Annotated[
        bool, typer.Option("--labels", help="Values are phases already (so taken if there are at most 8 whole ones).")
    ] = False,
    voxel_size: Annotated[
        str | None, typer.Option("--voxel-size", help="As in '1.76 um', if the file does not say.")
    ] = None,
    axis: Annotated[str | None, typer.Option("--axis", help="Also print fractions of layers along z, y or x.")] = None,
    connectivity: Annotated[
        int, typer.Option("--connectivity", help="Neighbours that hang together: 6, 18 or 26.")
    ] = 6,
    median: Annotated[
        bool, typer.Option("--median", help="Take the median of 3 x 3 x 3 voxels before dividing: less noise.")
    ] = False,
    memory: Annotated[
        str | None, typer.Option("--memory", help="What may be used (default: half of what is free, at most 8GB).")
    ] = None,
    json: AsJson = False,
) -> None:
    """Divide a volume into phases and measure them.

    Fractions with their uncertainty, what is connected from face to face, what is isolated, surface areas, components.
    Exit code: 0 done, 2 cannot be done as asked, 130 stopped by a person.
    """
    from operando.session.phases import PhasesRequest, print_phases

    become_expendable(niceness=ANALYSIS_NICENESS)
    request = PhasesRequest(volume, classes, labels, voxel_size, axis, connectivity, median, memory)
    raise typer.Exit(print_phases(request, terminal(LastingConsole), json=json))
