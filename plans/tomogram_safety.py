"""How every tomogram ends, whatever happened: shutter closed, camera idle, stage standing."""

from collections.abc import Callable

import bluesky.plan_stubs as bps
from bluesky.utils import MsgGenerator, RequestAbort, RequestStop

from devices.shutter import ShutterState
from operando.model.clock import Clock
from plans import clock_waits
from plans.faults import sentence
from plans.instruments import Instruments


class SafeEnd:
    """Makes the instruments of a tomogram safe.

    Attributes
    ----------
    failed
        A sentence for each that could not be made safe.
    wish
        A person's wish to end the run that came meanwhile; raise it afterwards.
    """

    def __init__(self, instruments: Instruments, clock: Clock, stop_camera: Callable[[], MsgGenerator[None]]) -> None:
        self._instruments, self._clock, self._stop_camera = instruments, clock, stop_camera
        self.failed: list[str] = []
        self.wish: BaseException | None = None

    def plan(self) -> MsgGenerator[None]:
        """Close the shutter, then make the camera idle and the stage stand; never raises an error of theirs."""
        for label, action in (
            ("the shutter was not closed", self._close_shutter),
            ("the camera was not stopped", self._stop_camera),
            ("the rotation was not stopped", self._stop_rotation),
        ):
            for attempt in (1, 2):  # the second try answers a fault that came just now
                try:
                    yield from action()
                    break
                except (RequestAbort, RequestStop) as wish:
                    self.wish = wish
                except Exception as error:
                    if attempt == 2:
                        self.failed.append(f"{label}: {sentence(error)}")

    def _close_shutter(self) -> MsgGenerator[None]:
        shutter = self._instruments.shutter
        if shutter.state is not ShutterState.CLOSED:
            yield from clock_waits.move(self._clock, shutter, ShutterState.CLOSED)

    def _stop_rotation(self) -> MsgGenerator[None]:
        rotation = self._instruments.rotation_stage
        if rotation.moving:
            yield from bps.stop(rotation)
            yield from clock_waits.wait_for(
                self._clock, lambda: not rotation.moving, poll_s=0.1, limit_s=rotation.stall_s, what=rotation.name
            )
        yield from clock_waits.prepare(rotation, None)
