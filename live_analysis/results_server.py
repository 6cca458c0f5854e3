"""Results as process variables: a view of ``results.jsonl`` for plans and screens."""

import json
from typing import Any

from caproto import ChannelType
from caproto.server import PVGroup, pvproperty

from live_analysis.results import TomogramResults
from live_analysis.run_follower import TomogramRun
from operando.model.clock import Clock
from operando.model.pv_server import PvServer

LONGEST_TEXT = 4000


class _Variables(PVGroup):  # type: ignore[misc]
    LAST = pvproperty(
        value="", dtype=ChannelType.CHAR, max_length=LONGEST_TEXT, string_encoding="latin-1", read_only=True
    )
    NUM_MEASUREMENTS = pvproperty(value=0, read_only=True)
    TOMOGRAM = pvproperty(value="", dtype=ChannelType.STRING, read_only=True)
    PROGRESS = pvproperty(value=0, read_only=True, units="frames")
    HIGH_ATTENUATION_VOLUME = pvproperty(value=float("nan"), units="um3", precision=1, read_only=True)
    HIGH_ATTENUATION_UNCERTAINTY = pvproperty(value=float("nan"), units="um3", precision=1, read_only=True)
    NUM_FAILED = pvproperty(value=0, read_only=True)


class ResultsServer:
    """Serves what live analysis measured; call ``publish`` with new results or with the progress of a tomogram."""

    def __init__(self, prefix: str, interface: str, clock: Clock) -> None:
        self._server = PvServer(_Variables(prefix=prefix), interface, "results")
        self._clock = clock
        self._num_measurements = 0
        self._num_failed = 0
        self._progress: tuple[str, int] = ("", -1)

    def start(self) -> None:
        """Serve; return when clients can connect."""
        self._server.start()

    def stop(self) -> None:
        """End the server."""
        self._server.stop()

    def publish(self, results: TomogramResults | None, tomogram: TomogramRun | None, num_frames: int) -> None:
        """Post results, or how many projections of the present tomogram have come."""
        values: dict[str, Any] = {}
        if tomogram is not None and results is None and self._progress != (tomogram.name, num_frames):
            self._progress = tomogram.name, num_frames
            values |= {"TOMOGRAM": tomogram.name[:39], "PROGRESS": num_frames}
        if results is not None:
            values |= self._values_of(results)
        if values:
            self._server.publish(values, self._clock.now())

    def _values_of(self, results: TomogramResults) -> dict[str, Any]:
        self._num_measurements += len(results.measurements)
        self._num_failed += bool(results.failure)
        values: dict[str, Any] = {"NUM_MEASUREMENTS": self._num_measurements, "NUM_FAILED": self._num_failed}
        for entry in results.measurements:
            values["LAST"] = json.dumps(entry.as_document())[:LONGEST_TEXT]
            if entry.name == "high_attenuation_volume":
                values["HIGH_ATTENUATION_VOLUME"] = entry.value
                values["HIGH_ATTENUATION_UNCERTAINTY"] = entry.uncertainty
        return values
