"""Instruments that an acquisition left running when it died: found, told, and brought to rest."""

from bluesky.utils import MsgGenerator

from devices.shutter import ShutterState
from operando.model.clock import Clock
from plans import clock_waits
from plans.clock_waits import WaitError
from plans.instruments import Instruments
from plans.tomogram_safety import SafeEnd


def left_running(instruments: Instruments) -> list[str]:
    """Return a phrase for each instrument of a tomogram that is not at rest; it needs no answer from the cell."""
    camera = instruments.camera
    found = {
        "the camera exposes": camera.acquiring,
        "its file is open": camera.capturing,
        "the rotation stage turns": instruments.rotation_stage.moving,
        "the shutter is open": instruments.shutter.state is not ShutterState.CLOSED,
    }
    return [phrase for phrase, is_so in found.items() if is_so]


def stop_what_runs(
    instruments: Instruments, clock: Clock, *, normal_velocity_deg_s: float | None
) -> MsgGenerator[list[str]]:
    """Bring the instruments of a tomogram to rest, outside of any run; return what was found running.

    Parameters
    ----------
    normal_velocity_deg_s
        Of the rotation stage between flights, where it is known: it may stand with that of a flight.

    Raises
    ------
    WaitError
        If one of them cannot be brought to rest.
    """
    found = left_running(instruments)
    camera = instruments.camera
    if normal_velocity_deg_s is not None:
        instruments.rotation_stage.normal_velocity_deg_s = normal_velocity_deg_s
    safety = SafeEnd(instruments, clock, lambda: clock_waits.answered(camera.end_series()))
    yield from safety.plan()
    if safety.wish is not None:
        raise safety.wish
    if safety.failed:
        raise WaitError(f"{'; '.join(safety.failed)}. Bring it to rest by hand, then resume the run.")
    return found
