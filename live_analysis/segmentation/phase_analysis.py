"""Everything that is asked about the phases of one volume, with memory of a few bytes per voxel."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.segmentation.class_map import OUTSIDE, class_map
from live_analysis.segmentation.connectivity import PhaseConnectivity, phase_connectivity
from live_analysis.segmentation.grey_histogram import GreyValueError, grey_histogram
from live_analysis.segmentation.median import median_3
from live_analysis.segmentation.multi_otsu import multi_otsu
from live_analysis.segmentation.phase_fractions import PhaseFractions, phase_fractions
from live_analysis.segmentation.surface_area import surface_areas
from live_analysis.segmentation.threshold_sensitivity import ThresholdSensitivity, threshold_sensitivity
from live_analysis.segmentation.volume_source import VolumeSource

MAX_LABELS = 32  # phases of a labelled volume
# Measured: 6 for structures of ten voxels, 10 where noise cuts them into a million components. A volume of nothing but
# noise takes three times as much: every voxel is a run then.
BYTES_PER_VOXEL = 10.0

Progress = Callable[[str, float], None]


class VolumeTooLargeError(MemoryError):
    """More memory would be needed than may be used."""


@dataclass(frozen=True)
class PhaseRequest:
    """What to do: ``num_classes`` None reads labels. ``axis`` is across layers, ``connectivity`` counts neighbours."""

    num_classes: int | None
    spacing_um: tuple[float, float, float] | None
    axis: int = 0
    connectivity: int = 6
    median: bool = False
    memory_bytes: int = 8_000_000_000


@dataclass(frozen=True)
class PhaseAnalysis:
    """Results, one entry per phase from dark to bright; grey values in the unit of the volume.

    ``surfaces`` are per volume, in 1/um, or 1/voxel where the size of voxels is not known. ``sensitivity`` is None for
    labels, whose ``grey_lows`` and ``grey_highs`` are the label itself.
    """

    grey_lows: NDArray[np.float64]
    grey_highs: NDArray[np.float64]
    fractions: PhaseFractions
    uncertainties: NDArray[np.float64]
    connectivities: list[PhaseConnectivity]
    surfaces: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    sensitivity: ThresholdSensitivity | None
    num_outside: int


def check_memory(source: VolumeSource, memory_bytes: int) -> None:
    """Check that a volume can be measured with so much memory; ask it before a voxel is read.

    Raises
    ------
    VolumeTooLargeError
        If that takes more.
    """
    needed = BYTES_PER_VOXEL * source.num_voxels
    if needed > memory_bytes:
        raise VolumeTooLargeError(
            f"{source.name}: {source.num_voxels / 1e6:.4g} million voxels need {needed / 1e9:.3g} GB, of which "
            f"{memory_bytes / 1e9:.3g} GB may be used. Allow more, or give a part or a coarser level."
        )


def analyse_phases(source: VolumeSource, request: PhaseRequest, report: Progress) -> PhaseAnalysis:
    """Divide a volume into phases and measure them.

    Raises
    ------
    GreyValueError
        If the grey values cannot be divided as asked.
    VolumeTooLargeError
        If that takes more memory than allowed.
    """
    check_memory(source, request.memory_bytes)
    sensitivity = None
    thresholds = np.empty(0)
    if request.num_classes is None:
        greys = _distinct(source, report)
        lows = highs = greys
        classes = _filled(source, request, lambda slab: _coded(slab, greys), report)
    else:
        histogram = grey_histogram(lambda: _slabs(source, request, "grey values", report))
        thresholds = multi_otsu(histogram, request.num_classes)
        sensitivity = threshold_sensitivity(histogram, thresholds)
        filled = histogram.centres[np.flatnonzero(histogram.counts)]
        lows, highs = np.array([filled[0], *thresholds]), np.array([*thresholds, filled[-1]])
        classes = _filled(source, request, lambda slab: class_map(slab, thresholds), report)
    num_phases = len(lows)
    report("fractions", 0.0)
    fractions = phase_fractions(classes, num_phases, axis=request.axis)
    if not fractions.num_inside:
        raise GreyValueError(f"{source.name}: no voxel is a finite number.")
    report("what hangs together", 0.0)
    connectivities = phase_connectivity(classes, num_phases, connectivity=request.connectivity)
    report("surfaces", 0.0)
    surfaces = surface_areas(classes, num_phases, spacing=request.spacing_um or (1.0, 1.0, 1.0))
    from_thresholds = np.zeros(num_phases) if sensitivity is None else sensitivity.uncertainties
    return PhaseAnalysis(
        lows,
        highs,
        fractions,
        np.hypot(from_thresholds, fractions.sampling),
        connectivities,
        surfaces,
        thresholds,
        sensitivity,
        source.num_voxels - fractions.num_inside,
    )


def label_values(source: VolumeSource, most: int, report: Progress) -> NDArray[np.float64] | None:
    """Return the different finite values of a volume, ascending; None as soon as there are more than ``most``."""
    found = np.empty(0)
    for first, stop in source.ranges():
        report("labels", first / source.shape[0])
        slab = source.read(first, stop)
        for values in (slab[:1, :8], slab):  # a few rows say at once that these are grey values
            different = np.unique(values)
            found = np.union1d(found, different[np.isfinite(different)].astype(np.float64))
            if len(found) > most:
                return None
    return found


def _distinct(source: VolumeSource, report: Progress) -> NDArray[np.float64]:
    found = label_values(source, MAX_LABELS, report)
    if found is None:
        raise GreyValueError(
            f"{source.name}: holds more than {MAX_LABELS} different values, which are hardly labels of phases. "
            "Divide grey values with --classes."
        )
    if not len(found):
        raise GreyValueError(f"{source.name}: no voxel is a finite number.")
    return found


def _slabs(source: VolumeSource, request: PhaseRequest, stage: str, report: Progress) -> Iterator[NDArray[np.generic]]:
    for first, stop in source.ranges():
        report(stage, first / source.shape[0])
        yield _slab(source, request, first, stop)


def _slab(source: VolumeSource, request: PhaseRequest, first: int, stop: int) -> NDArray[np.generic]:
    """Read slices, smoothed if that is asked, as if the volume were smoothed as a whole."""
    if not request.median:
        return source.read(first, stop)
    below, above = max(first - 1, 0), min(stop + 1, source.shape[0])
    smoothed = median_3(source.read(below, above).astype(np.float32))
    return smoothed[first - below : first - below + stop - first]


def _filled(
    source: VolumeSource,
    request: PhaseRequest,
    coded: Callable[[NDArray[np.generic]], NDArray[np.uint8]],
    report: Progress,
) -> NDArray[np.uint8]:
    classes = np.empty(source.shape, np.uint8)
    first = 0
    for slab in _slabs(source, request, "phases", report):
        classes[first : first + len(slab)] = coded(slab)
        first += len(slab)
    return classes


def _coded(slab: NDArray[np.generic], greys: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the position of each value among the labels; not finite ones are outside."""
    codes = np.full(slab.shape, OUTSIDE, np.uint8)
    for code, grey in enumerate(greys):
        codes[slab == grey] = code
    return codes
