"""Compiles the kernels that divide volumes into phases: ``python -m live_analysis.segmentation.warm_up``.

Numba keeps what it compiled beside the source.
"""

import numpy as np
from numpy.typing import NDArray

from live_analysis.segmentation.grey_histogram import COMPILED_KINDS
from live_analysis.segmentation.phase_analysis import PhaseRequest, analyse_phases
from live_analysis.segmentation.volume_source import VolumeSource

SHAPE = (6, 8, 10)


def warm_up() -> None:
    """Divide small volumes of every kind of number, and of labels across another axis, into phases."""
    values = np.random.default_rng(0).integers(0, 200, SHAPE)
    for kind in COMPILED_KINDS:
        analyse_phases(_source(values.astype(kind)), PhaseRequest(3, None, median=kind is np.float32), _tell_nobody)
    analyse_phases(_source(values % 2), PhaseRequest(None, None, axis=1), _tell_nobody)


def _source(values: NDArray[np.generic]) -> VolumeSource:
    return VolumeSource("invented", SHAPE, values.dtype, lambda first, stop: values[first:stop])


def _tell_nobody(stage: str, part_done: float) -> None:
    """Nobody waits for how far it is."""


if __name__ == "__main__":
    warm_up()
