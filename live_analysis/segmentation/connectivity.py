"""What of a phase hangs together from face to face, what is a dead end, and what is cut off."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.segmentation.component_moments import sizes_and_ends
from live_analysis.segmentation.labelling import connected_runs
from live_analysis.segmentation.runs import find_runs

NUM_LARGEST = 3


@dataclass(frozen=True)
class PhaseConnectivity:
    """Parts of a phase, 0 to 1 of its voxels; along z, y and x where there are three.

    ``through`` is in components that touch both faces, ``from_first`` and ``from_last`` in dead ends from the one with
    index 0 and the opposite one, ``isolated`` in components that touch no face of the volume. NaN for an empty phase.
    """

    num_voxels: int
    num_components: int
    through: tuple[float, float, float]
    from_first: tuple[float, float, float]
    from_last: tuple[float, float, float]
    isolated: float
    sizes: NDArray[np.int64]

    @property
    def largest(self) -> tuple[int, ...]:
        """Voxels of the largest components, largest first."""
        return tuple(int(size) for size in -np.sort(-self.sizes)[:NUM_LARGEST])


def phase_connectivity(
    classes: NDArray[np.uint8], num_phases: int, *, connectivity: int = 6, outside: int = 255
) -> list[PhaseConnectivity]:
    """Return how each phase of a class map hangs together.

    Parameters
    ----------
    classes
        Phase of every voxel, shape (z, y, x), 0 to ``num_phases`` - 1.
    num_phases
        How many there are.
    connectivity
        Neighbours of a voxel: 6 share a face (what conducts), 18 also an edge, 26 also a corner.
    outside
        Class of voxels of no phase.
    """
    components = connected_runs(find_runs(classes, outside), connectivity)
    phases = np.zeros(components.num_components, np.int64)
    phases[components.numbers - 1] = components.runs.values
    all_sizes, ends = sizes_and_ends(components)
    at_first = ends[:, 0::2] == 0
    at_last = ends[:, 1::2] == np.array(classes.shape) - 1
    touching = (at_first | at_last).any(axis=1)
    found = []
    for phase in range(num_phases):
        own = phases == phase
        sizes, first, last = all_sizes[own], at_first[own], at_last[own]
        found.append(
            PhaseConnectivity(
                int(sizes.sum()),
                len(sizes),
                _along_axes(sizes, first & last),
                _along_axes(sizes, first & ~last),
                _along_axes(sizes, last & ~first),
                _part(sizes, ~touching[own]),
                sizes,
            )
        )
    return found


def _along_axes(sizes: NDArray[np.int64], chosen: NDArray[np.bool_]) -> tuple[float, float, float]:
    return _part(sizes, chosen[:, 0]), _part(sizes, chosen[:, 1]), _part(sizes, chosen[:, 2])


def _part(sizes: NDArray[np.int64], chosen: NDArray[np.bool_]) -> float:
    return float(sizes[chosen].sum() / sizes.sum()) if len(sizes) else float("nan")
