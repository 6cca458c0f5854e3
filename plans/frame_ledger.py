"""Counts of frames from four sides; a tomogram is complete only if all of them agree with what was asked."""

from dataclasses import dataclass, field

from devices.camera import FrameCounts
from operando.model.frames import FrameKind

SIDES = ("expected", "acquired", "written", "declared", "dropped")


@dataclass
class FrameLedger:
    """What was asked of each kind of frame and what came."""

    expected: dict[FrameKind, int]
    came: dict[FrameKind, FrameCounts] = field(default_factory=dict)

    def enter(self, kind: FrameKind, counts: FrameCounts) -> None:
        """Write down what came of one kind."""
        self.came[kind] = counts

    def difference(self, kind: FrameKind) -> str:
        """Return a phrase if the counts of one kind do not all agree with what was asked, empty if they do."""
        expected, counts = self.expected[kind], self.came.get(kind, FrameCounts(0, 0, 0, 0))
        if counts.acquired == counts.written == counts.declared == expected and counts.dropped == 0:
            return ""
        return (
            f"{kind}: {expected} expected, {counts.acquired} acquired, {counts.written} written, "
            f"{counts.declared} declared, {counts.dropped} dropped"
        )

    @property
    def differences(self) -> list[str]:
        """One phrase for each kind whose counts do not all agree; empty if all do."""
        return [phrase for kind in self.expected if (phrase := self.difference(kind))]

    def as_fields(self) -> dict[str, int]:
        """Return one number per side and kind, as in ``expected_dark``."""
        fields: dict[str, int] = {}
        for kind, expected in self.expected.items():
            counts = self.came.get(kind, FrameCounts(0, 0, 0, 0))
            numbers = (expected, counts.acquired, counts.written, counts.declared, counts.dropped)
            fields |= {f"{side}_{kind}": number for side, number in zip(SIDES, numbers, strict=True)}
        return fields
