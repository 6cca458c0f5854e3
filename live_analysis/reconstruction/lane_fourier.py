"""Fourier transforms of sixteen pairs of rows at once, in place, for filters that are even in frequency.

A real row in the real part and another in the imaginary part pass an even real filter without mixing, so two rows
cost one complex transform. `forward` leaves the frequencies in the order of `frequencies`, from which `backward`
starts: a filter needs no other.
"""

import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled_serial
from live_analysis.reconstruction.lanes import add, load, scaled, store, subtract

SIN_60_DEG = np.float32(np.sqrt(0.75))
Rows = NDArray[np.float32]


def fast_length(least: int) -> int:
    """Return the smallest 2**n or 3 * 2**n that is not less than ``least``."""
    power = 1 << max(least - 1, 0).bit_length()
    return power * 3 // 4 if power >= 4 and power * 3 // 4 >= least else power


def frequencies(length: int) -> NDArray[np.int64]:
    """Return the frequency at each position after `forward`: 0 to ``length - 1`` cycles per length, shape (length,)."""
    if length == 1:
        return np.zeros(1, np.int64)
    for radix, first in ((3, (0, 1, 2)), (4, (0, 2, 1, 3)), (2, (0, 1))):
        if length % radix == 0:
            rest = radix * frequencies(length // radix)
            return np.concatenate([start + rest for start in first])
    raise ValueError(f"a length of {length} is none of 2**n and 3 * 2**n: take one from fast_length.")


def unit_circle(length: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return cosines and sines of ``length`` equal steps of a turn, each of shape (length,)."""
    turn = 2 * np.pi * np.arange(length) / length
    return np.cos(turn).astype(np.float32), np.sin(turn).astype(np.float32)


@compiled_serial
def forward(re: Rows, im: Rows, cosines: NDArray[np.float32], sines: NDArray[np.float32]) -> None:
    """Transform columns of arrays of shape (length, 16) in place, with ``exp(-2 pi i f x / length)``."""
    length = len(cosines)
    block = length
    if block % 3 == 0:
        _split_3(re, im, block, cosines, sines)
        block //= 3
    while block >= 4:
        _split_4(re, im, block, cosines, sines)
        block //= 4
    if block == 2:
        _pair(re, im)


@compiled_serial
def backward(re: Rows, im: Rows, cosines: NDArray[np.float32], sines: NDArray[np.float32]) -> None:
    """Undo `forward`; the result is ``length`` times what it was."""
    length = len(cosines)
    whole = length // 3 if length % 3 == 0 else length
    block = 1
    while 4 * block <= whole:
        block *= 4
    if 2 * block == whole:
        _pair(re, im)
        block = 2
    else:
        block = 1
    while 4 * block <= whole:
        block *= 4
        _join_4(re, im, block, cosines, sines)
    if whole != length:
        _join_3(re, im, length, cosines, sines)


@compiled_serial
def _pair(re: Rows, im: Rows) -> None:
    for i in range(0, len(re), 2):
        for part in (re, im):
            a, b = load(part, i), load(part, i + 1)
            store(part, i, add(a, b))
            store(part, i + 1, subtract(a, b))


@compiled_serial
def _split_4(re: Rows, im: Rows, block: int, cosines: NDArray[np.float32], sines: NDArray[np.float32]) -> None:
    length, m = len(re), block // 4
    for j in range(m):
        step = j * (length // block)
        c1, s1, c2, s2 = cosines[step], -sines[step], cosines[2 * step], -sines[2 * step]
        c3, s3 = cosines[3 * step], -sines[3 * step]
        for i in range(j, length, block):
            ar, ai = load(re, i), load(im, i)
            br, bi = load(re, i + m), load(im, i + m)
            cr, ci = load(re, i + 2 * m), load(im, i + 2 * m)
            dr, di = load(re, i + 3 * m), load(im, i + 3 * m)
            er, ei, fr, fi = add(ar, cr), add(ai, ci), subtract(ar, cr), subtract(ai, ci)
            gr, gi, hr, hi = add(br, dr), add(bi, di), subtract(br, dr), subtract(bi, di)
            store(re, i, add(er, gr))
            store(im, i, add(ei, gi))
            kr, ki = subtract(er, gr), subtract(ei, gi)
            store(re, i + m, subtract(scaled(c2, kr), scaled(s2, ki)))
            store(im, i + m, add(scaled(c2, ki), scaled(s2, kr)))
            kr, ki = add(fr, hi), subtract(fi, hr)
            store(re, i + 2 * m, subtract(scaled(c1, kr), scaled(s1, ki)))
            store(im, i + 2 * m, add(scaled(c1, ki), scaled(s1, kr)))
            kr, ki = subtract(fr, hi), add(fi, hr)
            store(re, i + 3 * m, subtract(scaled(c3, kr), scaled(s3, ki)))
            store(im, i + 3 * m, add(scaled(c3, ki), scaled(s3, kr)))


@compiled_serial
def _join_4(re: Rows, im: Rows, block: int, cosines: NDArray[np.float32], sines: NDArray[np.float32]) -> None:
    length, m = len(re), block // 4
    for j in range(m):
        step = j * (length // block)
        c1, s1, c2, s2 = cosines[step], sines[step], cosines[2 * step], sines[2 * step]
        c3, s3 = cosines[3 * step], sines[3 * step]
        for i in range(j, length, block):
            ar, ai = load(re, i), load(im, i)
            kr, ki = load(re, i + m), load(im, i + m)
            br, bi = subtract(scaled(c2, kr), scaled(s2, ki)), add(scaled(c2, ki), scaled(s2, kr))
            kr, ki = load(re, i + 2 * m), load(im, i + 2 * m)
            cr, ci = subtract(scaled(c1, kr), scaled(s1, ki)), add(scaled(c1, ki), scaled(s1, kr))
            kr, ki = load(re, i + 3 * m), load(im, i + 3 * m)
            dr, di = subtract(scaled(c3, kr), scaled(s3, ki)), add(scaled(c3, ki), scaled(s3, kr))
            er, ei, fr, fi = add(ar, br), add(ai, bi), subtract(ar, br), subtract(ai, bi)
            gr, gi, hr, hi = add(cr, dr), add(ci, di), subtract(cr, dr), subtract(ci, di)
            store(re, i, add(er, gr))
            store(im, i, add(ei, gi))
            store(re, i + m, subtract(fr, hi))
            store(im, i + m, add(fi, hr))
            store(re, i + 2 * m, subtract(er, gr))
            store(im, i + 2 * m, subtract(ei, gi))
            store(re, i + 3 * m, add(fr, hi))
            store(im, i + 3 * m, subtract(fi, hr))


@compiled_serial
def _split_3(re: Rows, im: Rows, block: int, cosines: NDArray[np.float32], sines: NDArray[np.float32]) -> None:
    length, m, half = len(re), block // 3, np.float32(0.5)
    for j in range(m):
        step = j * (length // block)
        c1, s1, c2, s2 = cosines[step], -sines[step], cosines[2 * step], -sines[2 * step]
        for i in range(j, length, block):
            ar, ai, br, bi = load(re, i), load(im, i), load(re, i + m), load(im, i + m)
            cr, ci = load(re, i + 2 * m), load(im, i + 2 * m)
            er, ei = add(br, cr), add(bi, ci)
            fr, fi = scaled(SIN_60_DEG, subtract(bi, ci)), scaled(SIN_60_DEG, subtract(cr, br))
            store(re, i, add(ar, er))
            store(im, i, add(ai, ei))
            gr, gi = subtract(ar, scaled(half, er)), subtract(ai, scaled(half, ei))
            kr, ki = add(gr, fr), add(gi, fi)
            store(re, i + m, subtract(scaled(c1, kr), scaled(s1, ki)))
            store(im, i + m, add(scaled(c1, ki), scaled(s1, kr)))
            kr, ki = subtract(gr, fr), subtract(gi, fi)
            store(re, i + 2 * m, subtract(scaled(c2, kr), scaled(s2, ki)))
            store(im, i + 2 * m, add(scaled(c2, ki), scaled(s2, kr)))


@compiled_serial
def _join_3(re: Rows, im: Rows, block: int, cosines: NDArray[np.float32], sines: NDArray[np.float32]) -> None:
    length, m, half = len(re), block // 3, np.float32(0.5)
    for j in range(m):
        step = j * (length // block)
        c1, s1, c2, s2 = cosines[step], sines[step], cosines[2 * step], sines[2 * step]
        for i in range(j, length, block):
            ar, ai = load(re, i), load(im, i)
            kr, ki = load(re, i + m), load(im, i + m)
            br, bi = subtract(scaled(c1, kr), scaled(s1, ki)), add(scaled(c1, ki), scaled(s1, kr))
            kr, ki = load(re, i + 2 * m), load(im, i + 2 * m)
            cr, ci = subtract(scaled(c2, kr), scaled(s2, ki)), add(scaled(c2, ki), scaled(s2, kr))
            er, ei = add(br, cr), add(bi, ci)
            fr, fi = scaled(SIN_60_DEG, subtract(ci, bi)), scaled(SIN_60_DEG, subtract(br, cr))
            store(re, i, add(ar, er))
            store(im, i, add(ai, ei))
            gr, gi = subtract(ar, scaled(half, er)), subtract(ai, scaled(half, ei))
            store(re, i + m, add(gr, fr))
            store(im, i + m, add(gi, fi))
            store(re, i + 2 * m, subtract(gr, fr))
            store(im, i + 2 * m, subtract(gi, fi))
