"""Takes one series of frames and declares them while they arrive."""

from collections.abc import Callable
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import MsgGenerator

from devices.camera import Camera, FrameCounts, FrameSeries
from operando.model.clock import Clock
from plans import clock_waits

NUM_LOOKS = 45  # at a series: often enough for live analysis, rarely enough to cost nothing
LONGEST_LOOK_S = 5.0


def take(
    camera: Camera,
    clock: Clock,
    series: FrameSeries,
    *,
    watch: Callable[[FrameCounts], None],
    busy_until: Callable[[Any], None] = lambda _: None,
    at_first: MsgGenerator[Any] | None = None,
    at_last: MsgGenerator[Any] | None = None,
) -> MsgGenerator[None]:
    """Start a prepared series and stay with it until it is over.

    The plan holds the series' status itself: what the RunEngine was never given it cannot forget.

    Parameters
    ----------
    watch
        Called with the counts at each look; raises to end the series early.
    busy_until
        Called with the status of the series when it begins.
    at_first, at_last
        Messages directly after the first exposure began, and after the last frame is in the file.
    """
    yield from bps.checkpoint()
    yield from bps.kickoff(camera, wait=True)  # it is done at once; one not waited for is kept by the RunEngine
    flight = camera.complete()
    busy_until(flight)
    begin_s = clock.now()
    if at_first is not None:
        yield from at_first
    look_s = min(max(series.duration_s / NUM_LOOKS, series.period_s), LONGEST_LOOK_S)
    while not clock_waits.settled(flight):
        watch(camera.look())
        if clock_waits.settled(flight):
            break
        yield from bps.collect(camera, name=series.kind.value)
        now_s, end_s = clock.now(), begin_s + series.duration_s
        yield from clock_waits.sleep_until(
            clock, min(now_s + look_s, end_s) if now_s < end_s else now_s + series.period_s
        )
    watch(camera.counts())
    yield from bps.collect(camera, name=series.kind.value)
    if at_last is not None:
        yield from at_last
    clock_waits.raise_error(flight)
