"""Digital volume correlation beside spam: python -m benchmarks.displacement [--rounds N] [--json FILE].

A speckle volume of 256^3 voxels is moved by a known field, 0.2 to 7.5 voxels along z with strains up to 4.3 %, and 320
cuboids of 32^3 voxels are found again. All run in this process on two cores, one after another in every round.
"""

import argparse
import contextlib
import importlib
import io
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

os.environ.setdefault("NUMBA_NUM_THREADS", "2")
os.environ.setdefault("OMP_NUM_THREADS", "2")

import numpy as np
from numpy.typing import NDArray

from benchmarks.speckle import SpecklePair, speckle_pair
from live_analysis.displacement.affine_fit import fit_affine
from live_analysis.displacement.coarse_search import correlation_maps
from live_analysis.displacement.found_cuboids import starts_of
from live_analysis.displacement.registration import binned

Floats = NDArray[np.float64]

NUM_VOXELS, CUBOID_VOXELS, NUM_LAYERS, NUM_ACROSS = 256, 32, 5, 8
# What the search may know beforehand: lowest and highest shift along z, y and x, in voxels.
LOWEST, HIGHEST = (-2, -2, -2), (10, 2, 2)
LOST_VOXELS = 1.0
BIN = 2
NO_SPAM = (
    "spam, the library that this is compared with, is not installed: only our own figures follow. Install it with "
    "`pip install spam` (0.9.1 was measured)."
)


@dataclass(frozen=True)
class Found:
    """Time of one way to find all cuboids, and errors along z in voxels; ``lost`` are off by more than a voxel."""

    time_s: float
    error_mean: float
    error_std: float
    error_max: float
    lost: int


def main() -> None:
    """Run the rounds and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    pair = speckle_pair(NUM_VOXELS, CUBOID_VOXELS, NUM_LAYERS, NUM_ACROSS)
    ways: dict[str, Callable[[SpecklePair], Floats]] = {"operando: search and affine fit": found_by_us}
    try:
        importlib.import_module("spam.DIC")
        ways["spam: pixel search and ldic, order 1"] = found_by_spam
    except ImportError:
        print(NO_SPAM)
    for way in ways.values():
        way(pair)  # compiles
    rounds = [{name: _timed(way, pair) for name, way in ways.items()} for _ in range(arguments.rounds)]
    medians = {name: statistics.median(one[name].time_s for one in rounds) for name in ways}
    for name, time_s in medians.items():
        last = rounds[-1][name]
        print(
            f"{name}: {time_s:.2f} s, error along z {last.error_mean:+.4f} +- {last.error_std:.4f} voxels, "
            f"at most {last.error_max:.3f}, lost {last.lost} of {len(pair.first)}"
        )
    if len(ways) == 2:
        ours, theirs = ways
        ratios = [one[ours].time_s / one[theirs].time_s for one in rounds]
        print(f"time against spam: {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")
    if arguments.json:
        arguments.json.write_text(
            json.dumps([{name: asdict(found) for name, found in one.items()} for one in rounds], indent=1)
        )


def found_by_us(pair: SpecklePair) -> Floats:
    """Return shifts along z, y and x of all cuboids, shape (n, 3)."""
    middle, reach = np.add(LOWEST, HIGHEST) // 2, np.subtract(HIGHEST, LOWEST) // 2
    size = CUBOID_VOXELS // BIN
    small_reach = [int(-(-r // BIN)) + 1 for r in reach]
    maps = correlation_maps(
        binned(pair.reference - pair.reference.mean(), BIN),
        binned(pair.moved - pair.moved.mean(), BIN),
        pair.first // BIN,
        (size, size, size),
        offsets=np.broadcast_to(middle // BIN, pair.first.shape),
        reach=(small_reach[0], small_reach[1], small_reach[2]),
    )
    shifts = maps.peaks()[0].reshape(NUM_LAYERS, NUM_ACROSS, NUM_ACROSS, 3) * BIN
    heights = pair.first[:: NUM_ACROSS**2, 0].astype(np.float64)
    return fit_affine(
        pair.reference, pair.moved, first=pair.first, size=CUBOID_VOXELS, starts=starts_of(shifts, heights)
    ).shifts


def found_by_spam(pair: SpecklePair) -> Floats:
    """Return the same by spam, whose cuboids are a voxel wider and centred on a voxel."""
    spam = importlib.import_module("spam.DIC")
    half = CUBOID_VOXELS // 2
    nodes = pair.first + half
    limits = np.stack([LOWEST, HIGHEST], axis=1).ravel()
    halves = np.array([half, half, half])
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        searched = spam.pixelSearchLocal(
            pair.reference,
            pair.moved,
            halves,
            limits,
            nodes,
            numProc=2,
            PhiField=np.tile(np.eye(4), (len(nodes), 1, 1)),  # 0.9.1 fails without
        )
        start = searched["PhiField"] if isinstance(searched, dict) else searched[0]
        fitted = spam.ldic(
            pair.reference,
            pair.moved,
            nodes,
            halves,
            processes=2,
            PhiField=start.copy(),
            margin=[-3, 3, -3, 3, -3, 3],
            interpolationOrder=1,
            deltaPhiMin=1e-3,
            maxIterations=50,
        )
    phi = fitted["PhiField"] if isinstance(fitted, dict) else fitted[0]
    return np.asarray(phi[:, :3, 3], np.float64)


def _timed(way: Callable[[SpecklePair], Floats], pair: SpecklePair) -> Found:
    began = time.perf_counter()
    shifts = way(pair)
    time_s = time.perf_counter() - began
    error = shifts[:, 0] - (pair.rise_about_voxel if way is found_by_spam else pair.rise)
    near = np.abs(error) < LOST_VOXELS
    return Found(
        time_s,
        float(error[near].mean()),
        float(error[near].std()),
        float(np.nanmax(np.abs(error))),
        int((~near).sum()),
    )


if __name__ == "__main__":
    main()
