"""Segmentation beside other packages: python -m benchmarks.segmentation [--quick] [--rounds N].

A texture of three phases with noise, 512 x 512 x 256 voxels. Each step is run by all packages in turn, round after
round, and is compared with the fastest of them in the same round: other work on the machine then slows all alike.
Packages that are not installed (SimpleITK, connected-components-3d, edt, porespy) are named and left out.
"""

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from statistics import median
from time import perf_counter
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import filters, measure

from live_analysis.segmentation.class_map import class_map
from live_analysis.segmentation.component_moments import moments_of_labels
from live_analysis.segmentation.connectivity import phase_connectivity
from live_analysis.segmentation.distance import distance
from live_analysis.segmentation.grey_histogram import grey_histogram
from live_analysis.segmentation.labelling import label
from live_analysis.segmentation.median import median_3
from live_analysis.segmentation.multi_otsu import multi_otsu
from live_analysis.segmentation.surface_area import surface_areas

SHAPE, QUICK_SHAPE = (256, 512, 512), (64, 192, 192)
NOISE = 0.12  # between phases that lie 0.5 apart
SLOW_PART = 8  # median and distance of scipy and SimpleITK are timed on this part of the volume, and multiplied
LONG_S = 20.0  # what takes longer is timed once
OURS = "operando"


@dataclass(frozen=True)
class Step:
    """One thing to do, by whom, and how to see that all did the same."""

    name: str
    peers: dict[str, Callable[[], Any]]
    factors: dict[str, int]


def texture(shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """Return three phases of 10 to 20 voxels with noise."""
    random = np.random.default_rng(0)
    smooth = ndimage.gaussian_filter(random.standard_normal(shape, dtype=np.float32), 4, truncate=3)
    smooth /= smooth.std()
    phases = 0.5 * (smooth > -0.3) + 0.5 * (smooth > 1.1)
    return np.asarray(phases + random.normal(0, NOISE, shape), np.float32)


def package(name: str) -> Any:
    """Return a package; None if it is not installed."""
    return import_module(name) if find_spec(name) else None


def steps(values: NDArray[np.float32]) -> list[Step]:
    """Return what is compared; data of a step is what we made in the one before."""
    sitk, cc3d, edt, porespy = (package(name) for name in ("SimpleITK", "cc3d", "edt", "porespy"))
    part = values[: len(values) // SLOW_PART]
    smoothed = median_3(values)
    thresholds = multi_otsu(grey_histogram(lambda: [smoothed]), 3)
    classes = class_map(smoothed, thresholds)
    bright, pores = classes == 2, classes == 0
    labels, num = label(bright, 26)
    wide = labels.astype(np.int32)
    medians: dict[str, Callable[[], Any]] = {
        OURS: lambda: median_3(values),
        "scipy": lambda: ndimage.median_filter(part, 3, mode="nearest"),
    }
    if sitk is not None:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(numba.config.NUMBA_NUM_THREADS)
        image = sitk.GetImageFromArray(part)
        medians["SimpleITK"] = lambda: sitk.GetArrayFromImage(sitk.Median(image, [1, 1, 1]))
    found = [
        Step("median 3 x 3 x 3", medians, {"scipy": SLOW_PART, "SimpleITK": SLOW_PART}),
        Step(
            "multi-Otsu, 3 classes",
            {
                OURS: lambda: multi_otsu(grey_histogram(lambda: [smoothed]), 3),
                "scikit-image": lambda: filters.threshold_multiotsu(smoothed, 3),
            },
            {},
        ),
        Step(
            "classes",
            {
                OURS: lambda: class_map(smoothed, thresholds),
                "numpy": lambda: (smoothed > thresholds[0]).view(np.uint8) + (smoothed > thresholds[1]).view(np.uint8),
            },
            {},
        ),
    ]
    found += [_labels(bright, connectivity, cc3d) for connectivity in (6, 18, 26)]
    moments: dict[str, Callable[[], Any]] = {
        OURS: lambda: moments_of_labels(labels, num),
        "scikit-image": lambda: measure.regionprops_table(
            wide, properties=("area", "centroid", "inertia_tensor", "inertia_tensor_eigvals")
        ),
    }
    if cc3d is not None:  # without inertia and axes
        moments["cc3d"] = lambda: cc3d.statistics(labels)
    found.append(Step(f"moments of {num} components", moments, {}))
    distances: dict[str, Callable[[], Any]] = {
        OURS: lambda: distance(bright),
        "scipy": lambda: ndimage.distance_transform_edt(bright[: len(bright) // SLOW_PART]),
    }
    if edt is not None:
        num_threads = numba.config.NUMBA_NUM_THREADS
        distances["edt"] = lambda: edt.edt(bright, parallel=num_threads, black_border=False)
    found.append(Step("distance in the bright phase", distances, {"scipy": SLOW_PART}))
    connections: dict[str, Callable[[], Any]] = {OURS: lambda: phase_connectivity(classes, 3)}
    if porespy is not None:  # one phase along one axis; ours are three along three
        connections["porespy"] = lambda: porespy.filters.trim_nonpercolating_paths(pores, axis=0)
    found.append(Step("connections of three phases", connections, {}))
    surfaces: dict[str, Callable[[], Any]] = {
        OURS: lambda: surface_areas(classes, 3),
        "scikit-image": lambda: measure.mesh_surface_area(*measure.marching_cubes(bright[: len(bright) // 8], 0.5)[:2]),
    }
    found.append(Step("surface areas of three phases", surfaces, {"scikit-image": 8}))
    return found


def _labels(mask: NDArray[np.bool_], connectivity: int, cc3d: Any) -> Step:
    reach = (6, 18, 26).index(connectivity) + 1
    near = ndimage.generate_binary_structure(3, reach)
    peers: dict[str, Callable[[], Any]] = {
        OURS: lambda: label(mask, connectivity),
        "scipy": lambda: ndimage.label(mask, near),
        "scikit-image": lambda: measure.label(mask, connectivity=reach),
    }
    if cc3d is not None:
        peers["cc3d"] = lambda: cc3d.connected_components(mask, connectivity=connectivity)
    return Step(f"labels, {connectivity} neighbours", peers, {})


def compare(step: Step, num_rounds: int) -> tuple[dict[str, float], float, str]:
    """Return seconds of each, the median over rounds of our time over the fastest other's, and who that is."""
    times: dict[str, list[float]] = {name: [] for name in step.peers}
    for _ in range(num_rounds + 1):  # the first one compiles and warms up
        for name, work in step.peers.items():
            if times[name] and times[name][-1] > LONG_S:
                times[name].append(times[name][-1])
                continue
            began = perf_counter()
            work()
            times[name].append((perf_counter() - began) * step.factors.get(name, 1))
    medians = {name: median(found[1:]) for name, found in times.items()}
    best = min((name for name in medians if name != OURS), key=lambda name: medians[name])
    ratio = median(ours / other for ours, other in zip(times[OURS][1:], times[best][1:], strict=True))
    return medians, ratio, best


def agreements(values: NDArray[np.float32]) -> list[str]:
    """Say what answers of other packages on a part of the volume are equal to ours."""
    part = np.ascontiguousarray(values[:48, :96, :96])
    classes = class_map(part, multi_otsu(grey_histogram(lambda: [part]), 3))
    mask = classes == 2
    lines = [
        f"median equals scipy's: {np.array_equal(median_3(part), ndimage.median_filter(part, 3, mode='nearest'))}",
        "distance equals scipy's: "
        f"{np.array_equal(distance(mask), ndimage.distance_transform_edt(mask).astype(np.float32))}",
        f"labels equal scipy's: {np.array_equal(label(mask, 26)[0], ndimage.label(mask, np.ones((3, 3, 3)))[0])}",
    ]
    if (cc3d := package("cc3d")) is not None:
        same = all(
            label(classes, near)[1] == cc3d.connected_components(classes, connectivity=near, return_N=True)[1]
            for near in (6, 18, 26)
        )
        lines.append(f"numbers of components of three phases equal cc3d's: {same}")
    if (porespy := package("porespy")) is not None:
        pores = classes == 0
        ours = phase_connectivity(classes, 3)[0].through
        theirs = [porespy.filters.trim_nonpercolating_paths(pores, axis=axis).sum() / pores.sum() for axis in range(3)]
        lines.append(f"parts of the pores that go through: ours {ours}, porespy's {tuple(float(x) for x in theirs)}")
    return lines


def main() -> None:
    """Print a table of times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="64 x 192 x 192 voxels")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    shape = QUICK_SHAPE if options.quick else SHAPE
    missing = [name for name in ("SimpleITK", "cc3d", "edt", "porespy") if find_spec(name) is None]
    if missing:
        print(f"not installed, therefore not compared: {', '.join(missing)}")
    threads = f"{numba.config.NUMBA_NUM_THREADS} threads of {os.cpu_count()} cores"
    print(f"{shape} voxels, {threads}, load {os.getloadavg()[0]:.1f}")
    values = texture(shape)
    for line in agreements(values):
        print(line)
    print("| step | s (ours first) | ours / fastest other | fastest other |\n|---|---|---|---|")
    for step in steps(values):
        medians, ratio, best = compare(step, options.rounds)
        seconds = ", ".join(f"{name} {time:.3f}" for name, time in medians.items())
        print(f"| {step.name} | {seconds} | {ratio:.2f} | {best} |", flush=True)


if __name__ == "__main__":
    main()
