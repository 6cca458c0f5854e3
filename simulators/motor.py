"""A motor record: trapezoidal motion in virtual time, put-completion, stop, soft limits, SET."""

import asyncio
import math
from collections import deque
from dataclasses import dataclass, replace
from typing import Any

from caproto.server import PVGroup, pvproperty

from simulators.conductor import Conductor, Event


@dataclass(frozen=True)
class Motion:
    """One move along a trapezoid of velocity, a triangle if it is short."""

    begin_s: float
    start: float
    target: float
    velocity: float
    acceleration_time_s: float
    slip: float = 0.0  # how far the axis has jumped aside
    slips_s: float = math.inf

    @property
    def end(self) -> float:
        """Where it ends."""
        return self.target + self.slip

    @property
    def _ramp(self) -> tuple[float, float, float]:
        """Greatest velocity, duration of one ramp, duration of the cruise."""
        distance = abs(self.target - self.start)
        acceleration = self.velocity / self.acceleration_time_s
        if distance < self.velocity * self.acceleration_time_s:
            ramp_s = math.sqrt(distance / acceleration)
            return acceleration * ramp_s, ramp_s, 0.0
        return self.velocity, self.acceleration_time_s, distance / self.velocity - self.acceleration_time_s

    @property
    def end_s(self) -> float:
        """Time of arrival."""
        _, ramp_s, cruise_s = self._ramp
        return self.begin_s + 2 * ramp_s + cruise_s

    def position_at(self, time_s: float) -> float:
        """Return the position at any time: the start before the motion, its end after it."""
        return self._undisturbed_at(time_s) + (self.slip if time_s >= self.slips_s else 0.0)

    def _undisturbed_at(self, time_s: float) -> float:
        velocity, ramp_s, cruise_s = self._ramp
        elapsed_s = time_s - self.begin_s
        if time_s >= self.end_s:
            return self.target
        if elapsed_s <= 0:
            return self.start
        if elapsed_s < ramp_s:
            travelled = velocity * elapsed_s**2 / (2 * ramp_s)
        elif elapsed_s < ramp_s + cruise_s:
            travelled = velocity * (elapsed_s - ramp_s / 2)
        else:
            left_s = 2 * ramp_s + cruise_s - elapsed_s
            travelled = abs(self.target - self.start) - velocity * left_s**2 / (2 * ramp_s)
        return self.start + math.copysign(travelled, self.target - self.start)


class Motor(PVGroup):  # type: ignore[misc]
    """The record; give it a conductor before the server starts.

    Parameters
    ----------
    conductor
        Time.
    velocity, acceleration_time_s, limits, units
        What VELO, ACCL, LLM and HLM, EGU say at first; velocity in units per second.
    position
        Where it stands at first.
    """

    motor = pvproperty(value=0.0, name="", record="motor", precision=5)

    def __init__(
        self,
        *args: Any,
        conductor: Conductor,
        velocity: float,
        acceleration_time_s: float,
        limits: tuple[float, float],
        units: str,
        position: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._conductor = conductor
        self._settings = velocity, acceleration_time_s, limits, units
        still = Motion(-math.inf, position, position, 1.0, 1.0)
        self._motions: deque[Motion] = deque([still], maxlen=8)
        self._arrival: Event | None = None
        self._arrived: asyncio.Future[None] | None = None
        self._held = False
        self._target = 0.0
        conductor.on_arrival(self._refresh)

    def position_at(self, time_s: float) -> float:
        """Return where the motor is or was at ``time_s``, in user units."""
        for motion in reversed(self._motions):
            if motion.begin_s <= time_s:
                return motion.position_at(time_s)
        return self._motions[0].start

    @property
    def target(self) -> float:
        """Where it stands, or will stand at the end of its motion, in user units."""
        return self._motions[-1].target

    async def initialise(self) -> None:
        """Fill the record's fields; call it once the server runs."""
        fields = self.motor.field_inst
        velocity, acceleration_time_s, (low, high), units = self._settings
        await fields.velocity.write(velocity)
        await fields.seconds_to_velocity.write(acceleration_time_s)
        await fields.user_low_limit.write(low)
        await fields.user_high_limit.write(high)
        await fields.dial_low_limit.write(low)
        await fields.dial_high_limit.write(high)
        await fields.engineering_units.write(units)
        # Without control limits in the metadata ophyd's check_value sees (0, 0) and checks nothing.
        await self.motor.write_metadata(
            units=units, lower_ctrl_limit=low, upper_ctrl_limit=high, lower_disp_limit=low, upper_disp_limit=high
        )
        await fields.user_readback_value.write_metadata(units=units, precision=5)
        await fields.done_moving_to_value.write(1)
        await self._post_target(self.target)
        await self._post_position(self.target)

    @motor.putter  # type: ignore[no-redef]
    async def motor(self, instance: Any, value: float) -> float:
        """Move to a target; the put completes with the motion and leaves what the target is then."""
        fields = instance.field_inst
        if fields.set_use_switch.value in (1, "Set"):
            await self._redefine(float(value))
            return float(value)
        refused = not fields.user_low_limit.value <= value <= fields.user_high_limit.value
        await fields.limit_violation.write(int(refused))
        if refused:
            return self._motions[-1].target
        await self._begin(fields, float(value))
        assert self._arrived is not None
        await asyncio.shield(self._arrived)
        return self._motions[-1].target

    @motor.fields.stop.putter  # type: ignore[no-redef]
    async def motor(fields: Any, instance: Any, value: int) -> int:  # noqa: N805
        """End the motion where it is."""
        if value:
            await fields.parent.group.stop()
        return 0

    async def stop(self) -> None:
        """End the motion where it is; the target becomes the position, as in the real record."""
        if self._arrival is None:
            return
        now_s = self._conductor.now()
        position = self.position_at(now_s)
        self._motions.append(Motion(now_s, position, position, 1.0, 1.0))
        await self._arrive()
        await self._post_target(position)

    def hold(self) -> None:
        """Stand still from now on as if the axis were blocked: a motion neither goes on nor ends."""
        self._held = True
        if self._arrival is not None:
            self._arrival.cancel()
            now_s = self._conductor.now()
            self._motions.append(Motion(now_s, self.position_at(now_s), self.position_at(now_s), 1.0, 1.0))

    async def let_go(self) -> None:
        """Move again, to where a motion that was held should have gone."""
        self._held = False
        if self._arrival is not None:
            await self._begin(self.motor.field_inst, self._target)

    async def slip(self, distance: float) -> None:
        """Be ``distance`` beside where the motor should be, as after lost steps; the encoder shows it."""
        now_s, motion = self._conductor.now(), self._motions[-1]
        self._motions[-1] = replace(motion, slip=motion.slip + distance, slips_s=now_s)
        await self._post_position(self.position_at(now_s))

    async def _begin(self, fields: Any, target: float) -> None:
        now_s, self._target = self._conductor.now(), target
        velocity = max(float(fields.velocity.value), 1e-9)
        ramp_s = max(float(fields.seconds_to_velocity.value), 1e-6)
        motion = Motion(now_s, self.position_at(now_s), target, velocity, ramp_s)
        if self._held:
            motion = Motion(now_s, motion.start, motion.start, velocity, ramp_s)
        if self._arrival is not None:  # a new target in mid flight: both puts complete with the last motion
            self._arrival.cancel()
        else:
            self._arrived = asyncio.get_running_loop().create_future()
        self._motions.append(motion)
        self._arrival = self._conductor.at(math.inf if self._held else motion.end_s, self._arrive, answers=True)
        await fields.direction_of_travel.write(int(target > motion.start))
        await fields.done_moving_to_value.write(0)
        await fields.motor_is_moving.write(1)
        await self._post_target(target)  # the record shows its new target at once

    async def _arrive(self) -> None:
        fields = self.motor.field_inst
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None
        await self._post_position(self._motions[-1].end)
        await fields.motor_is_moving.write(0)
        await fields.done_moving_to_value.write(1)
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    async def _redefine(self, position: float) -> None:
        """SET mode: call the present place ``position`` and do not move."""
        now_s = self._conductor.now()
        fields = self.motor.field_inst
        shift = position - self.position_at(now_s)
        await fields.user_offset.write(float(fields.user_offset.value) + shift)
        self._motions.append(Motion(now_s, position, position, 1.0, 1.0))
        await self._post_position(position)

    async def _refresh(self, time_s: float) -> None:
        if self._arrival is not None:
            await self._post_position(self.position_at(time_s))

    async def _post_position(self, position: float) -> None:
        fields = self.motor.field_inst
        await fields.user_readback_value.write(position)
        await fields.dial_readback_value.write(position - float(fields.user_offset.value))

    async def _post_target(self, target: float) -> None:
        await self.motor.write(target, verify_value=False)
