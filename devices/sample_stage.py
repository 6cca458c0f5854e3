"""The stage that carries the sample into the beam and out of it, in mm."""

from devices.checked_motor import CheckedMotor


class SampleStage(CheckedMotor):
    """A translation; its ``set`` is done when the readback is within ``tolerance`` mm of the target."""
