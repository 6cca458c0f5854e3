"""The newest frame of the camera over PV Access, with a number by which a client counts what it missed."""

from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from p4p.nt import NTNDArray
from p4p.server import Server, StaticProvider
from p4p.server.thread import SharedPV


class Preview:
    """Serves one NTNDArray; a context manager.

    Parameters
    ----------
    name
        Of the process variable.
    interface, tcp_port, udp_port
        Where to answer, and nowhere else.
    """

    def __init__(
        self, name: str, *, frame_shape: tuple[int, int], interface: str, tcp_port: int, udp_port: int
    ) -> None:
        self._wrapper = NTNDArray()
        # Without nt= here: a SharedPV that wraps by itself cannot take a uniqueId.
        self._pv = SharedPV(initial=self._wrapper.wrap(np.zeros(frame_shape, np.uint16)))
        self._provider = StaticProvider("preview")
        self._provider.add(name, self._pv)
        self._configuration = {
            "EPICS_PVAS_INTF_ADDR_LIST": interface,
            "EPICS_PVAS_SERVER_PORT": str(tcp_port),
            "EPICS_PVAS_BROADCAST_PORT": str(udp_port),
            "EPICS_PVAS_AUTO_BEACON_ADDR_LIST": "NO",
            "EPICS_PVAS_BEACON_ADDR_LIST": interface,
        }
        self._server: Server | None = None

    def __enter__(self) -> Self:
        """Serve."""
        self._server = Server(providers=[self._provider], conf=self._configuration, useenv=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Serve no more."""
        if self._server is not None:
            self._server.stop()

    def post(self, frame: NDArray[np.uint16], frame_id: int, time_s: float) -> None:
        """Publish a frame; a client too slow for it loses it, which never holds up the camera."""
        image = self._wrapper.wrap(frame)
        image.uniqueId = frame_id
        seconds = int(time_s)
        stamp = {"secondsPastEpoch": seconds, "nanoseconds": int((time_s - seconds) * 1e9)}
        image.timeStamp = stamp
        image.dataTimeStamp = stamp
        self._pv.post(image)
