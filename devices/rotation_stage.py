"""The rotation stage: constant velocity past the camera, so that frame k is exposed centred at its angle."""

from dataclasses import dataclass
from typing import Any

from ophyd import DeviceStatus

from devices.answers import in_background, put_all
from devices.checked_motor import CheckedMotor
from operando.model.clock import Clock

SETTLE_S = 0.1  # at constant velocity before the first exposure


@dataclass(frozen=True)
class AngleScan:
    """Frame k is exposed for ``exposure_s`` centred at ``start_deg + k * step_deg``, one every ``period_s``."""

    start_deg: float
    step_deg: float
    num_frames: int
    period_s: float
    exposure_s: float

    @property
    def velocity_deg_s(self) -> float:
        """Magnitude of the constant velocity."""
        return abs(self.step_deg) / self.period_s


@dataclass(frozen=True)
class Flight:
    """One fly move: from where, to where, how fast, and when after its start the first exposure begins."""

    from_deg: float
    to_deg: float
    velocity_deg_s: float
    first_exposure_after_s: float
    duration_s: float


def flight_of(scan: AngleScan, *, acceleration_s: float, settle_s: float = SETTLE_S) -> Flight:
    """Return the move with lead-in and lead-out for a scan; the record accelerates uniformly over ``acceleration_s``.

    At time t after the start the stage has moved ``velocity * (t - acceleration_s / 2)``; the first exposure begins
    ``settle_s`` after the acceleration has ended, half an exposure before its nominal angle.
    """
    velocity = scan.velocity_deg_s
    sign = 1.0 if scan.step_deg >= 0 else -1.0
    lead_in_deg = velocity * (acceleration_s / 2 + settle_s + scan.exposure_s / 2)
    span_deg = abs(scan.step_deg) * scan.num_frames
    lead_out_deg = velocity * (acceleration_s / 2 + settle_s)
    travel_deg = lead_in_deg + span_deg + lead_out_deg
    return Flight(
        from_deg=scan.start_deg - sign * lead_in_deg,
        to_deg=scan.start_deg - sign * lead_in_deg + sign * travel_deg,
        velocity_deg_s=velocity,
        first_exposure_after_s=acceleration_s + settle_s,
        duration_s=travel_deg / velocity + acceleration_s,
    )


class RotationStage(CheckedMotor):
    """A rotation in degrees. ``prepare(flight)`` sets the velocity of a flight, ``prepare(None)`` the normal one."""

    def __init__(self, prefix: str, *, name: str, clock: Clock, tolerance: float = 0.02, **options: Any) -> None:
        super().__init__(prefix, name=name, clock=clock, tolerance=tolerance, **options)
        self._normal_velocity_deg_s: float | None = None

    @property
    def normal_velocity_deg_s(self) -> float:
        """The velocity between flights."""
        if self._normal_velocity_deg_s is not None:
            return self._normal_velocity_deg_s
        return float(self.velocity.get(use_monitor=False))

    @normal_velocity_deg_s.setter
    def normal_velocity_deg_s(self, velocity_deg_s: float) -> None:
        """Let ``prepare(None)`` set this velocity: one that died within a flight has left the stage with another."""
        self._normal_velocity_deg_s = velocity_deg_s

    def flight(self, scan: AngleScan) -> Flight:
        """Return the move for ``scan`` with this stage's acceleration, both ends checked against its limits.

        Raises
        ------
        ophyd.utils.LimitError
            If lead-in or lead-out lies outside the soft limits.
        """
        flight = flight_of(scan, acceleration_s=float(self.acceleration.get(use_monitor=False)))
        self.check_value(flight.from_deg)
        self.check_value(flight.to_deg)
        return flight

    def prepare(self, flight: Flight | None) -> DeviceStatus:
        """Set the velocity of a flight, or with ``None`` the normal one again."""
        return in_background(self, lambda: self._set_velocity(flight))

    def fly(self, flight: Flight) -> DeviceStatus:
        """Start the flight now; the stage must stand at ``flight.from_deg``."""
        return self.set(flight.to_deg)

    def _set_velocity(self, flight: Flight | None) -> None:
        if flight is not None:
            self._normal_velocity_deg_s = self.normal_velocity_deg_s
            put_all([(self.velocity, flight.velocity_deg_s)])
        elif self._normal_velocity_deg_s is not None:
            put_all([(self.velocity, self._normal_velocity_deg_s)])
            self._normal_velocity_deg_s = None
