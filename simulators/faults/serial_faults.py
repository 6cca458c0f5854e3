"""The serial line of the load cell: unplugged, noisy, or with wrong checksums."""

from typing import Literal

from pydantic import Field

from simulators.faults.fault import End, LastingFault, Scene


class SerialUnplug(LastingFault):
    """The port disappears with its link, and comes back under the same name."""

    kind: Literal["serial_unplug"]

    async def begin(self, scene: Scene) -> End:
        """Pull the plug."""
        load_cell = scene.instruments.load_cell
        load_cell.unplug()
        return load_cell.plug


class SerialGarbage(LastingFault):
    """Random bytes before every answer, and a part of the answers' own bytes replaced by others."""

    kind: Literal["serial_garbage"]
    num_bytes: int = Field(default=20, ge=0, le=4000)
    replaced: float = Field(default=0.2, ge=0, le=1)  # share of the answer's bytes

    async def begin(self, scene: Scene) -> End:
        """Begin to disturb the line."""
        random = scene.random

        def change(answer: bytes) -> bytes:
            hit = random.random(len(answer)) < self.replaced
            noise = random.bytes(len(answer))
            return random.bytes(self.num_bytes) + bytes(
                other if is_hit else byte for byte, other, is_hit in zip(answer, noise, hit, strict=True)
            )

        return scene.instruments.load_cell.sent.put_in(change)


class WrongChecksum(LastingFault):
    """Answers are whole, but their last byte is not the checksum."""

    kind: Literal["wrong_checksum"]

    async def begin(self, scene: Scene) -> End:
        """Begin to send wrong checksums."""
        return scene.instruments.load_cell.sent.put_in(
            # 0x02 would be taken for a start byte
            lambda answer: answer[:-1] + bytes([answer[-1] ^ (0x10 if answer[-1] != 0x12 else 0x20)])
        )
