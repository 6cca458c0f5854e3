"""Results as process variables: a view of ``results.jsonl`` for plans and screens."""

import contextlib
import json
from typing import Any

from caproto import ChannelType
from caproto.server import PVGroup, pvproperty

from live_analysis.progress import Progress
from live_analysis.results import TomogramResults
from operando.model.clock import Clock
from operando.model.json_lines import plain
from operando.model.measurement import Measurement
from operando.model.pv_server import PvServer

LONGEST_TEXT = 4000
LONGEST_STRING = 39  # of a Channel Access string


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
    STATE = pvproperty(value="", dtype=ChannelType.STRING, read_only=True)
    QUEUE = pvproperty(value=0, read_only=True, units="tomograms")
    DROPPED = pvproperty(value=0, read_only=True, units="frames")


class ResultsServer:
    """Serves what live analysis measured; call ``publish`` with new results or with the progress of a tomogram."""

    def __init__(self, prefix: str, interface: str, clock: Clock) -> None:
        self._server = PvServer(_Variables(prefix=prefix), interface, "results")
        self._clock = clock
        self._num_measurements = 0
        self._num_failed = 0
        self._progress: Progress | None = None

    def start(self) -> None:
        """Serve; return when clients can connect."""
        self._server.start()

    def stop(self) -> None:
        """End the server."""
        self._server.stop()

    def publish(self, results: TomogramResults | None, progress: Progress) -> None:
        """Post results, if there are new ones, and how far the analysis is, if that changed."""
        values: dict[str, Any] = {} if results is None else self._values_of(results)
        if progress != self._progress:
            self._progress = progress
            values |= {
                "STATE": progress.state.value,
                "TOMOGRAM": progress.tomogram[:LONGEST_STRING],
                "PROGRESS": progress.num_projections,
                "QUEUE": progress.num_waiting,
                "DROPPED": progress.num_dropped,
            }
        if values:
            # A server too busy to answer shows this later; measuring goes on, and results.jsonl has it all.
            with contextlib.suppress(TimeoutError):
                self._server.publish(values, self._clock.now())

    def _values_of(self, results: TomogramResults) -> dict[str, Any]:
        self._num_measurements += len(results.measurements)
        self._num_failed += bool(results.failure)
        values: dict[str, Any] = {"NUM_MEASUREMENTS": self._num_measurements, "NUM_FAILED": self._num_failed}
        for entry in results.measurements:
            values["LAST"] = _last_text(entry)
            if entry.name == "high_attenuation_volume":
                values["HIGH_ATTENUATION_VOLUME"] = entry.value
                values["HIGH_ATTENUATION_UNCERTAINTY"] = entry.uncertainty
        return values


def _last_text(entry: Measurement) -> str:
    """Return a measurement as JSON that fits the waveform; long details stay in the file."""
    document = entry.as_document()
    text = json.dumps(document, default=plain)
    return text if len(text) < LONGEST_TEXT else json.dumps({**document, "details": {}}, default=plain)
