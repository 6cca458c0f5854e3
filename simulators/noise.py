"""Noise that belongs to an event and not to the moment the computer got round to it, so that a rehearsal repeats."""

import zlib

import numpy as np


def keyed_normal(seed: int, name: str, number: int) -> float:
    """Return a standard normal value that is always the same for the same seed, name and number."""
    return float(np.random.default_rng((seed, zlib.crc32(name.encode()), number)).standard_normal())
