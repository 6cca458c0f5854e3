"""Where cuboids of the reference are found again, to a fraction of a voxel: normalised cross-correlation by FFT."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

Floats = NDArray[np.float64]
Voxels = NDArray[np.float32]

BATCH = 64  # cuboids transformed at once: their transforms stay in the cache
LEAST_ENERGY = 1e-3  # of the mean: where there is no texture, correlation is none


@dataclass(frozen=True)
class CorrelationMaps:
    """Correlation of each cuboid with the moved volume, shape (n, shifts along z, y, x).

    The middle of a map stands for the shift ``offsets`` (n, 3), in voxels.
    """

    values: NDArray[np.float32]
    offsets: NDArray[np.int64]

    def averaged(self, grid_shape: tuple[int, int, int]) -> "CorrelationMaps":
        """Add to each map those of its neighbours in the layer; cuboids are ordered (layer, row, column)."""
        num_shifts = self.values.shape[1:]
        maps = self.values.reshape(*grid_shape, -1)
        mean = ndimage.uniform_filter(maps, (1, 3, 3, 1), mode="nearest")
        return CorrelationMaps((maps + mean).reshape(-1, *num_shifts), self.offsets)

    def peaks(self) -> tuple[Floats, Floats]:
        """Return the shifts of the highest correlation, by parabolas through its neighbours; its height."""
        num, *shape = self.values.shape
        best = np.argmax(self.values.reshape(num, -1), axis=1)
        places = np.stack(np.unravel_index(best, shape), axis=1)
        height = self.values.reshape(num, -1)[np.arange(num), best].astype(np.float64)
        shifts = places + self.offsets - (np.array(shape) - 1) // 2 + np.zeros((num, 3))
        for axis in range(3):
            inner = np.clip(places, 0, None)
            inner[:, axis] = np.clip(places[:, axis], 1, shape[axis] - 2)
            step = np.zeros(3, np.int64)
            step[axis] = 1
            before, at, after = (
                self.values[(np.arange(num), *(inner + k * step).T)].astype(np.float64) for k in (-1, 0, 1)
            )
            bend = before - 2 * at + after
            is_peak = (inner[:, axis] == places[:, axis]) & (bend < 0)
            shifts[:, axis] += np.where(is_peak, 0.5 * (before - after) / np.where(is_peak, bend, -1), 0)
        return shifts, height


def correlation_maps(
    reference: Voxels,
    moved: Voxels,
    first: NDArray[np.int64],
    size: tuple[int, int, int],
    *,
    offsets: NDArray[np.int64],
    reach: tuple[int, int, int],
) -> CorrelationMaps:
    """Correlate cuboids of the reference with what lies near the same place in the moved volume.

    Parameters
    ----------
    reference, moved
        Texture, shape (z, y, x), 0 where there is none.
    first
        Lowest index of each cuboid, shape (n, 3); parts beyond the volume have no texture.
    size
        Voxels of a cuboid along z, y and x.
    offsets
        Shift of each cuboid about which is searched, shape (n, 3).
    reach
        Largest shift from there along z, y and x.
    """
    window = np.array(size) + 2 * np.array(reach)
    lengths = [fft.next_fast_len(int(length), real=True) for length in window]
    room = int(np.abs(offsets).max(initial=0)) + max(reach) + max(0, *(-first.min(0, initial=0)))
    room = max(room, *(first.max(0, initial=0) + np.array(size) + room - np.array(reference.shape)))
    padded, padded_moved = np.pad(reference, room), np.pad(moved, room)
    mean = ndimage.uniform_filter(padded_moved, size, mode="constant")
    energy = ndimage.uniform_filter(padded_moved**2, size, mode="constant") - mean**2
    energy = np.maximum(energy, LEAST_ENERGY * float(energy.mean()) + 1e-30) * float(np.prod(size))
    num_shifts = [2 * r + 1 for r in reach]
    values = np.zeros((len(first), *num_shifts), np.float32)
    for begin in range(0, len(first), BATCH):
        part = slice(begin, begin + BATCH)
        corners, from_corners = first[part] + room, first[part] + room + offsets[part] - np.array(reach)
        cuboids = _cut(padded, corners, size)
        cuboids = np.where(cuboids != 0, cuboids - _mean_of_texture(cuboids), np.float32(0))
        windows = _cut(padded_moved, from_corners, (int(window[0]), int(window[1]), int(window[2])))
        spectrum = np.conj(fft.rfftn(cuboids, lengths, axes=(1, 2, 3), workers=2))
        spectrum *= fft.rfftn(windows, lengths, axes=(1, 2, 3), workers=2)
        products = fft.irfftn(spectrum, lengths, axes=(1, 2, 3), workers=2)
        products = products[:, : num_shifts[0], : num_shifts[1], : num_shifts[2]]
        # The filter's window about an index holds as many voxels before it as after, of an even one more before.
        around = _cut(energy, from_corners + np.array(size) // 2, (num_shifts[0], num_shifts[1], num_shifts[2]))
        own = np.maximum((cuboids.astype(np.float64) ** 2).sum((1, 2, 3)), 1e-30)
        values[part] = products / np.sqrt(around * own[:, None, None, None])
    return CorrelationMaps(values, offsets)


def _mean_of_texture(cuboids: Voxels) -> Voxels:
    num = np.maximum((cuboids != 0).sum((1, 2, 3)), 1)
    return np.asarray((cuboids.sum((1, 2, 3)) / num)[:, None, None, None], np.float32)


def _cut(volume: Voxels, corners: NDArray[np.int64], size: tuple[int, int, int]) -> Voxels:
    dz, dy, dx = size
    return np.stack([volume[z : z + dz, y : y + dy, x : x + dx] for z, y, x in corners])
