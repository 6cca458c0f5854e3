"""Before the experiment: a test shot, the rotation axis from a pair of projections half a turn apart, the rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
import h5py
import numpy as np
from bluesky.utils import MsgGenerator
from numpy.typing import NDArray

from devices.camera import FrameSeries
from devices.chip_region import ChipRegion
from devices.shutter import ShutterState
from operando.model.clock import Clock
from operando.model.frames import IMAGES, FrameKind
from plans import clock_waits, frames
from plans.instruments import Instruments

MAX_COUNTS = 65535
HALF_TURN_DEG = 180.0
Frame = NDArray[np.uint16]


@dataclass(frozen=True)
class ShotStatistics:
    """Statistics of one frame, in counts; ``saturated`` is the part of its pixels that are at the limit."""

    mean: float
    smallest: float
    largest: float
    saturated: float


def shot_statistics(frame: Frame) -> ShotStatistics:
    """Return the statistics of a frame of shape (rows, columns)."""
    return ShotStatistics(
        float(frame.mean()), float(frame.min()), float(frame.max()), float((frame >= MAX_COUNTS).mean())
    )


def take_test_shot(
    instruments: Instruments, clock: Clock, *, path: Path, exposure_s: float, metadata: Mapping[str, Any]
) -> MsgGenerator[ShotStatistics]:
    """Take one frame where the stages stand, with the shutter open meanwhile; return its statistics."""
    taken = yield from _one_frame(instruments, clock, path, exposure_s, {"kind": "test_shot", **metadata})
    return shot_statistics(taken)


def rotation_axis(
    instruments: Instruments,
    clock: Clock,
    *,
    paths: tuple[Path, Path],
    exposure_s: float,
    axis_of: Callable[[Frame, Frame], float],
    metadata: Mapping[str, Any],
    start_deg: float = 0.0,
) -> MsgGenerator[float]:
    """Take projections half a turn apart; return the axis's column that ``axis_of(first, second)`` finds in them."""
    pair = []
    for path, angle_deg in zip(paths, (start_deg, start_deg + HALF_TURN_DEG), strict=True):
        yield from clock_waits.move(clock, instruments.rotation_stage, angle_deg)
        details = {"kind": "alignment", "angle_deg": angle_deg, **metadata}
        pair.append((yield from _one_frame(instruments, clock, path, exposure_s, details)))
    return axis_of(pair[0], pair[1])


def choose_rows(
    instruments: Instruments, *, num_columns: int, num_rows: int, binning: int, first_row: int | None = None
) -> MsgGenerator[None]:
    """Read ``num_rows`` binned rows of the chip from unbinned row ``first_row`` on, centred if not given."""
    yield from clock_waits.prepare(instruments.camera, ChipRegion(num_columns, num_rows, binning, None, first_row))


def _one_frame(
    instruments: Instruments, clock: Clock, path: Path, exposure_s: float, metadata: Mapping[str, Any]
) -> MsgGenerator[Frame]:
    camera, shutter = instruments.camera, instruments.shutter
    series = FrameSeries(FrameKind.PROJECTION, path, 1, exposure_s, exposure_s)

    def run() -> MsgGenerator[None]:
        yield from bps.open_run(dict(metadata))
        yield from clock_waits.move(clock, shutter, ShutterState.OPEN)
        yield from clock_waits.prepare(camera, series)
        yield from bps.declare_stream(camera, name=series.kind.value, collect=True)
        yield from frames.take(camera, clock, series, watch=lambda _: None)
        yield from clock_waits.answered(camera.end_series())
        yield from bps.close_run()

    def close() -> MsgGenerator[None]:
        yield from clock_waits.move(clock, shutter, ShutterState.CLOSED)
        yield from clock_waits.answered(camera.end_series())

    yield from bpp.finalize_wrapper(run(), close)
    with h5py.File(path, "r") as file:
        taken: Frame = file[IMAGES][0]
    return taken
