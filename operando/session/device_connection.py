"""Which devices of a beamline answer: every one is asked, and a sentence is kept for each that does not."""

import contextlib
from typing import Any

from devices.connection import DeviceConnectionError, connect
from devices.potentiostat import Potentiostat, PotentiostatError
from devices.temperature import Temperature

AGAIN_S = 0.1  # all were searched for at once before; this only finds out whose variables are missing
LONGER_S = 1.0  # for what has a search of its own, begun together with the others


def unconnected(devices: list[Any], timeout_s: float) -> dict[str, str]:
    """Return a sentence for each device that did not connect, by its name; empty if all of them did.

    Parameters
    ----------
    timeout_s
        Real time for all of them to answer, in s; the potentiostat and the thermometer have a little more.
    """
    plain = [device for device in devices if not isinstance(device, Potentiostat | Temperature)]
    with contextlib.suppress(DeviceConnectionError):
        connect(plain, timeout_s)
    found: dict[str, str] = {}
    for device in devices:
        try:
            if isinstance(device, Potentiostat):
                device.connect(LONGER_S)
            elif isinstance(device, Temperature):
                if not device.connect(LONGER_S):
                    raise DeviceConnectionError(
                        f"{device.name}: {device.prefix} did not connect. Check the name in the beamline file and that "
                        "the server runs."
                    )
            else:
                connect([device], AGAIN_S)
        except DeviceConnectionError as error:
            found[device.name] = str(error).replace(f"within {AGAIN_S:g} s", f"within {timeout_s:g} s")
        except PotentiostatError as error:
            found[device.name] = f"{device.name}: {error}"
    return found
