"""Sixteen floats that are worked on at once: one for each of sixteen detector rows.

Plain tuples, which numba keeps in vector registers. A loop over rows in their place would have to be proven free of
overlap between what it reads and what it writes, which the compiler gives up for eight addresses.
"""

# fmt: off
import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import inlined

NUM_LANES = 16
Index = int | np.uint64  # an unsigned index needs no test whether it counts from the end
Lanes = tuple[np.float32, ...]


@inlined
def zeros() -> Lanes:
    """Return sixteen zeros."""
    return (
        np.float32(0), np.float32(0), np.float32(0), np.float32(0),
        np.float32(0), np.float32(0), np.float32(0), np.float32(0),
        np.float32(0), np.float32(0), np.float32(0), np.float32(0),
        np.float32(0), np.float32(0), np.float32(0), np.float32(0),
    )


@inlined
def load(a: NDArray[np.float32], i: Index) -> Lanes:
    """Return row ``i`` of an array of shape (n, 16)."""
    return (
        a[i, 0], a[i, 1], a[i, 2], a[i, 3],
        a[i, 4], a[i, 5], a[i, 6], a[i, 7],
        a[i, 8], a[i, 9], a[i, 10], a[i, 11],
        a[i, 12], a[i, 13], a[i, 14], a[i, 15],
    )


@inlined
def store(a: NDArray[np.float32], i: Index, v: Lanes) -> None:
    """Write row ``i`` of an array of shape (n, 16)."""
    (
        a[i, 0], a[i, 1], a[i, 2], a[i, 3],
        a[i, 4], a[i, 5], a[i, 6], a[i, 7],
        a[i, 8], a[i, 9], a[i, 10], a[i, 11],
        a[i, 12], a[i, 13], a[i, 14], a[i, 15],
    ) = v


@inlined
def add(v: Lanes, w: Lanes) -> Lanes:
    """Return v + w."""
    return (
        v[0] + w[0], v[1] + w[1], v[2] + w[2], v[3] + w[3],
        v[4] + w[4], v[5] + w[5], v[6] + w[6], v[7] + w[7],
        v[8] + w[8], v[9] + w[9], v[10] + w[10], v[11] + w[11],
        v[12] + w[12], v[13] + w[13], v[14] + w[14], v[15] + w[15],
    )


@inlined
def subtract(v: Lanes, w: Lanes) -> Lanes:
    """Return v - w."""
    return (
        v[0] - w[0], v[1] - w[1], v[2] - w[2], v[3] - w[3],
        v[4] - w[4], v[5] - w[5], v[6] - w[6], v[7] - w[7],
        v[8] - w[8], v[9] - w[9], v[10] - w[10], v[11] - w[11],
        v[12] - w[12], v[13] - w[13], v[14] - w[14], v[15] - w[15],
    )


@inlined
def scaled(factor: np.float32, v: Lanes) -> Lanes:
    """Return factor v."""
    return (
        factor * v[0], factor * v[1], factor * v[2], factor * v[3],
        factor * v[4], factor * v[5], factor * v[6], factor * v[7],
        factor * v[8], factor * v[9], factor * v[10], factor * v[11],
        factor * v[12], factor * v[13], factor * v[14], factor * v[15],
    )


@inlined
def add_scaled(v: Lanes, factor: np.float32, w: Lanes) -> Lanes:
    """Return v + factor w."""
    return (
        v[0] + factor * w[0], v[1] + factor * w[1], v[2] + factor * w[2], v[3] + factor * w[3],
        v[4] + factor * w[4], v[5] + factor * w[5], v[6] + factor * w[6], v[7] + factor * w[7],
        v[8] + factor * w[8], v[9] + factor * w[9], v[10] + factor * w[10], v[11] + factor * w[11],
        v[12] + factor * w[12], v[13] + factor * w[13], v[14] + factor * w[14], v[15] + factor * w[15],
    )
