"""Stages that stall, are stopped by somebody, or stand beside where they should be."""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from simulators.faults.fault import End, Fault, LastingFault, Scene, in_unit_of

if TYPE_CHECKING:
    from simulators.motor import Motor

Stage = Literal["rotation", "sample_x"]


def _motor(scene: Scene, stage: Stage) -> "Motor":
    return scene.instruments.rotation if stage == "rotation" else scene.instruments.sample_x


class StageStall(LastingFault):
    """A blocked axis: the record says that it moves, but the position stays, and goes on afterwards."""

    kind: Literal["stage_stall"]
    stage: Stage = "rotation"

    async def begin(self, scene: Scene) -> End:
        """Block it."""
        motor = _motor(scene, self.stage)
        motor.hold()
        return motor.let_go


class StageStop(Fault):
    """Somebody presses stop: the record ends its motion where it is, and its target becomes that place."""

    kind: Literal["stage_stop"]
    stage: Stage = "rotation"

    async def begin(self, scene: Scene) -> None:
        """Stop it."""
        await _motor(scene, self.stage).stop()


class StageSlip(Fault):
    """Steps are lost: the encoder jumps by ``distance``, angle or length, and the motion ends beside its target."""

    kind: Literal["stage_slip"]
    stage: Stage = "rotation"
    distance: float

    @model_validator(mode="before")
    @classmethod
    def _distance_in_unit(cls, table: Any) -> Any:
        return in_unit_of(table, "distance", "stage", {"rotation": "deg", "sample_x": "mm"}, "rotation")

    async def begin(self, scene: Scene) -> None:
        """Let it slip."""
        await _motor(scene, self.stage).slip(self.distance)
