"""What the monitor's pictures cost: colours for numbers, painting them, and a refresh while projections arrive.

Everything is drawn without a display, in the sizes that the views have in a window of 1366 x 768 and of 3840 x 2160.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np

from operando.model import frames
from operando.model.frames import FrameKind
from operando.model.grey_window import GreyWindow
from operando.model.preview_slices import PreviewSlices, read_preview, write_preview
from operando.model.run_directory import RunDirectory

REFRESHES_PER_S = 20
VIEWS_PX = {"1366 x 768": (830, 630, 1.0), "3840 x 2160": (2360, 1760, 2.75)}  # of the slices, and the scale of letters
WINDOW = GreyWindow(-1.5, 80.0)
UNIT = "1/cm"


def milliseconds(action: Callable[[int], object], num_rounds: int) -> tuple[float, float]:
    """Return medians of wall and processor time in ms of an action, told the number of the round."""
    action(0)
    wall_s, processor_s = [], []
    for number in range(1, num_rounds + 1):
        began = time.perf_counter(), time.process_time()
        action(number)
        wall_s.append(time.perf_counter() - began[0])
        processor_s.append(time.process_time() - began[1])
    return 1e3 * statistics.median(wall_s), 1e3 * statistics.median(processor_s)


def line(name: str, action: Callable[[int], object], num_rounds: int) -> float:
    """Measure an action and print it; return the processor time in ms."""
    wall_ms, processor_ms = milliseconds(action, num_rounds)
    share = REFRESHES_PER_S * processor_ms / 10
    told = (
        f"{wall_ms:8.2f} ms, {processor_ms:.2f} ms of processor time; at {REFRESHES_PER_S} Hz {share:.0f} % of a core"
    )
    print(f"  {name:46s} {told}", flush=True)
    return processor_ms


def some_slices(size: int, rows: int) -> PreviewSlices:
    """Make slices of noise inside a round view, as wide as asked."""
    random = np.random.default_rng(1)
    across, down = np.meshgrid(*2 * [np.linspace(-1, 1, size)])
    level = random.normal(5, 2, (size, size)).astype(np.float32)
    level[across**2 + down**2 > 1] = np.nan
    upright = [random.normal(5, 2, (rows, size)).astype(np.float32) for _ in range(2)]
    return PreviewSlices(
        tomogram="OCV", run_uid="u", xy=level, xz=upright[0], yz=upright[1], row=rows // 2, y=size // 2, x=size // 2,
        voxel_size_um=1.76, num_projections=300, num_announced=1000, coverage=1.0, grey_values_absolute=True,
        complete=False,
    )  # fmt: skip


def colours(slices: PreviewSlices, num_rounds: int) -> None:
    """Turn one slice into an image, in the ways that there are."""
    from operando.monitor.inside.colour_scale import DifferenceScale, GreyScale, StraightScale
    from operando.monitor.inside.drawn_image import draw_counts, draw_values

    values, grey = slices.xy, GreyScale(WINDOW, UNIT)
    mask = (values > 8).astype(np.uint8)
    counts = np.random.default_rng(2).integers(0, 65535, values.shape, np.uint16)
    difference = DifferenceScale(10, UNIT)
    line("greys", lambda _: draw_values(values, grey), num_rounds)
    line("greys with two masks", lambda _: draw_values(values, grey, mask, ("#ff8c42", "#a996f0")), num_rounds)
    line("difference", lambda _: draw_values(values - slices.xy, difference), num_rounds)
    line("counts of a projection", lambda _: draw_counts(counts, StraightScale(100, 60_000, "")), num_rounds)


def refresh(slices: PreviewSlices, folder: Path, num_rounds: int) -> None:
    """Read a preview, turn it into a picture and paint it, with a projection as large beside it."""
    import pyqtgraph
    from PySide6 import QtGui

    from operando.monitor.inside.colour_scale import GreyScale, StraightScale
    from operando.monitor.inside.drawn_image import draw_counts
    from operando.monitor.inside.slice_picture import SlicePicture, slice_picture
    from operando.monitor.inside.slices_view import SlicesView
    from operando.monitor.inside.state_planes import planes_of_preview
    from operando.monitor.theme import Look

    pyqtgraph.mkQApp()
    path, scale, size = folder / "preview.h5", GreyScale(WINDOW, UNIT), slices.xy.shape[0]
    write_preview(path, slices)
    counts = np.random.default_rng(2).integers(0, 65535, (slices.xz.shape[0], size), np.uint16)
    levels = StraightScale(100, 60_000, "detector counts")

    def read() -> SlicePicture:
        picture = slice_picture(planes_of_preview(read_preview(path)), scale)
        return replace(picture, images={**picture.images, "projection": draw_counts(counts, levels)})

    line("reading thread: file to images", lambda _: read(), num_rounds)
    pictures = [read(), read()]
    for window, (width, height, letters) in VIEWS_PX.items():
        view = SlicesView(Look(scale=letters))
        view.resize(width, height)
        paper = QtGui.QPixmap(width, height)

        def paint(number: int, view: SlicesView = view, paper: QtGui.QPixmap = paper) -> None:
            view.show_picture(pictures[number % 2])
            view.render(paper)

        line(f"window's thread: painting, window {window}", paint, num_rounds)


def sinogram(size: int, rows: int, num: int, folder: Path, num_rounds: int) -> None:
    """Read the sinogram of one row from as many projections, and follow it while one more comes each time."""
    from operando.monitor.inside.projections_reader import ProjectionsReader
    from operando.monitor.reading.run_view import TomogramView

    run = RunDirectory(folder)
    run.frames.mkdir()
    frame = np.random.default_rng(3).integers(0, 60_000, (rows, size), np.uint16)
    tomogram = TomogramView("OCV", 1, 0.0, None, "", "", num, 0)
    with h5py.File(run.frames_file(1, FrameKind.PROJECTION), "w", libver="latest") as file:
        shape, most = (0, rows, size), (None, rows, size)
        images = file.create_dataset(frames.IMAGES, shape, "u2", maxshape=most, chunks=(1, rows, size))
        file.swmr_mode = True

        def expose(number: int) -> None:
            images.resize(number, axis=0)
            images[number - 1] = frame
            images.flush()

        for number in range(1, num - num_rounds):
            expose(number)
        reader, began_s, num_calls = ProjectionsReader(run), time.perf_counter(), 0
        shown = reader.newest(tomogram, None)
        while shown.sinogram is None or len(shown.sinogram.sinogram.values) < images.shape[0]:
            shown, num_calls = reader.newest(tomogram, None), num_calls + 1
        taken_s = time.perf_counter() - began_s
        print(
            f"  {f'sinogram of {len(images)} projections, all':46s} {1e3 * taken_s:8.0f} ms in {num_calls + 1} portions"
        )

        def follow(_: int) -> None:
            expose(len(images) + 1)
            reader.newest(tomogram, None)

        line("projection, flat and sinogram, one more each time", follow, num_rounds - 1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", type=int, default=1024, help="width of slices and frames, pixels")
    parser.add_argument("--rows", type=int, default=256, help="height of upright slices and frames, pixels")
    parser.add_argument("--projections", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--folder", type=Path, help="where files are made; a temporary folder if not given")
    arguments = parser.parse_args()
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    slices = some_slices(arguments.size, arguments.rows)
    print(f"colours of {arguments.size} x {arguments.size} numbers")
    colours(slices, arguments.rounds)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        print(f"a refresh of slices {arguments.size} x {arguments.size} x {arguments.rows} and a projection")
        refresh(slices, Path(folder), arguments.rounds)
        print(f"frames of {arguments.rows} x {arguments.size}")
        sinogram(arguments.size, arguments.rows, arguments.projections, Path(folder), arguments.rounds)
    print("The figures of a busy machine are too large; repeat them at rest.")


if __name__ == "__main__":
    main()
