"""Where a person wants the planes of the preview: a small file that a reader of the run writes and the analysis polls.

It is a wish about a picture and no command: neither cell nor beamline learns of it, and nothing that is measured
depends on it.
"""

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path


class PlaneWishError(ValueError):
    """A file that does not say where the planes shall lie."""


@dataclass(frozen=True)
class PlaneWish:
    """Where each plane cuts its axis, as part of the volume: z from 0 (top) to 1 (bottom); y and x, 0.5 at the axis.

    Parts hold for every tomogram of a run, however its pixels are binned and cut.

    Raises
    ------
    PlaneWishError
        If one is not from 0 to 1.
    """

    z: float = 0.5
    y: float = 0.5
    x: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what lies outside the volume."""
        for name, part in asdict(self).items():
            if isinstance(part, bool) or not isinstance(part, int | float) or not 0 <= part <= 1:
                raise PlaneWishError(f"{name} = {part!r} is no place in the volume: give parts of it, from 0 to 1.")

    def voxels(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """Return row, y and x in a volume of this shape."""
        row, y, x = (
            min(math.floor(part * num), num - 1) for part, num in zip((self.z, self.y, self.x), shape, strict=True)
        )
        return row, y, x

    @classmethod
    def of_voxels(cls, at: tuple[int, int, int], shape: tuple[int, int, int]) -> "PlaneWish":
        """Return the wish for planes through the middle of a voxel (row, y, x)."""
        return cls(*((index + 0.5) / num for index, num in zip(at, shape, strict=True)))


def write_plane_wish(path: Path, wish: PlaneWish) -> None:
    """Put a wish in place of the one before, at once and whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_text(json.dumps(asdict(wish)) + "\n", encoding="utf-8")
    os.replace(unfinished, path)


class PlaneWishReader:
    """Looks whether somebody has a new wish."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None

    def newest(self) -> PlaneWish | None:
        """Return a wish that was not there before, or None.

        Raises
        ------
        PlaneWishError
            Once for each file that is no wish.
        """
        try:
            status = self._path.stat()
            if (status.st_mtime_ns, status.st_ino) == self._seen:
                return None
            self._seen = status.st_mtime_ns, status.st_ino
            content = json.loads(self._path.read_text(encoding="utf-8"))
            return PlaneWish(**content)
        except FileNotFoundError:
            return None
        except PlaneWishError as error:
            raise PlaneWishError(f"{self._path}: {error}") from None
        except (OSError, TypeError, ValueError, RecursionError):
            raise PlaneWishError(
                f'{self._path}: cannot be read as places of planes. Needed is one line such as {{"z": 0.5, "y": 0.5, '
                '"x": 0.4}, parts of the volume from 0 to 1.'
            ) from None
