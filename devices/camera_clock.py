"""How far the clock that stamps frames is from ours, over one series of frames."""

from dataclasses import dataclass
from typing import Any

from devices.arrival_times import ArrivalTimes
from operando.model.clock import Clock
from operando.model.clock_fit import ClockFitter


@dataclass(frozen=True)
class CameraOffset:
    """What a series tells: how far the camera's clock is behind in its middle, and by how much it drifts.

    ``drift`` is 0 where the series is too short to tell it from none; 5e-5 is 50 ppm fast. A frame arrives after the
    way through the camera and its server, of which the shortest counts as delay of the clock.
    """

    behind_s: float
    uncertainty_s: float
    drift: float


class CameraClock:
    """Compares the time stamps of frames with their arrival.

    Parameters
    ----------
    signal
        Time stamp of the newest frame, s since the Unix epoch, at mid-exposure.
    """

    def __init__(self, signal: Any, clock: Clock) -> None:
        self._arrivals = ArrivalTimes(signal, clock)

    def begin(self) -> None:
        """Forget what arrived before."""
        self._arrivals.taken()

    def offset(self, exposure_s: float) -> CameraOffset | None:
        """Return what the frames since :meth:`begin` tell; ``None`` if they are too few."""
        fitter = ClockFitter()
        # A frame that came late stands behind the one after it.
        arrivals = sorted(self._arrivals.taken(), key=lambda arrival: arrival.value)
        for arrival in arrivals:
            fitter.add(arrival.value, arrival.arrival_s - exposure_s / 2)
        fit = fitter.fit
        if fit is None:
            return None
        middle_s = (arrivals[0].value + arrivals[-1].value) / 2
        significant = abs(fit.drift) > 3 * fit.drift_uncertainty
        return CameraOffset(
            fit.host_time_s(middle_s) - middle_s, fit.uncertainty_s(middle_s), fit.drift if significant else 0.0
        )
