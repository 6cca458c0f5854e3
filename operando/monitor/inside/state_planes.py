"""Three planes through one state, wherever they were read: what is drawn, compared and laid over."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from operando.model.preview_slices import PreviewSlices
from operando.monitor.reading.shown_text import shown_name

PLANES = ("xy", "xz", "yz")
SAME_VOXEL = 1e-6  # relative difference of two voxel sizes that are the same
WHOLE_COVERAGE = 0.95


@dataclass(frozen=True, eq=False)
class StatePlanes:
    """Attenuation in three planes, NaN where nothing was seen.

    Parameters
    ----------
    tomogram
        Name of the state.
    values
        By the names of `PLANES`, shapes (y, x), (z, x) and (z, y), z downwards.
    at
        Row, y and x that the planes pass through, in voxels, with halves between them.
    voxel_size_um
        None where nobody knows it; attenuation is then in 1/voxel.
    told, warning
        What the planes rest on, and what is wrong with them; empty if nothing is.
    source
        File that they were read from.
    masks
        By the same names, same shapes: 1 high attenuation, 2 crack. Empty if there are none.
    """

    tomogram: str
    values: dict[str, NDArray[np.float32]]
    at: tuple[float, float, float]
    voxel_size_um: float | None
    told: str
    warning: str = ""
    source: str = ""
    masks: dict[str, NDArray[np.uint8]] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        """Unit of the values."""
        return "1/voxel" if self.voxel_size_um is None else "1/cm"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows, y and x of the volume."""
        return self.values["xz"].shape[0], self.values["yz"].shape[1], self.values["xz"].shape[1]


def planes_of_preview(slices: PreviewSlices) -> StatePlanes:
    """Return the planes of a preview."""
    return StatePlanes(
        tomogram=shown_name(slices.tomogram),
        values={name: getattr(slices, name) for name in PLANES},
        at=(slices.row, slices.y, slices.x),
        voxel_size_um=slices.voxel_size_um,
        told=progress_text(slices),
        warning=warning_text(coverage=slices.coverage, grey_values_absolute=slices.grey_values_absolute),
        source="preview.h5",
    )


def difference(state: StatePlanes, before: StatePlanes) -> StatePlanes | str:
    """Return what a state attenuates more than another one, or a sentence that says why they cannot be compared."""
    names = f"{state.tomogram} and {before.tomogram}"
    if state.unit != before.unit:
        return f"No difference of {names}: one is in {state.unit}, the other in {before.unit}."
    if state.voxel_size_um is not None and before.voxel_size_um is not None:
        ratio = state.voxel_size_um / before.voxel_size_um
        if abs(ratio - 1) > SAME_VOXEL:
            sizes = f"{state.voxel_size_um:.4g} and {before.voxel_size_um:.4g} µm"
            return f"No difference of {names}: their voxels measure {sizes}."
    if state.shape != before.shape:
        shapes = " and ".join(" x ".join(str(num) for num in one.shape) for one in (state, before))
        return f"No difference of {names}: they have {shapes} voxels (z, y, x)."
    if state.at != before.at:
        places = " and ".join(", ".join(f"{index:g}" for index in one.at) for one in (state, before))
        return f"No difference of {names}: their planes lie elsewhere, at voxels {places} (z, y, x)."
    return StatePlanes(
        tomogram=f"{state.tomogram} − {before.tomogram}",
        values={name: state.values[name] - before.values[name] for name in PLANES},
        at=state.at,
        voxel_size_um=state.voxel_size_um,
        told=f"{state.tomogram} minus {before.tomogram}",
        warning=" · ".join(dict.fromkeys(filter(None, (state.warning, before.warning)))),
        source=state.source,
        masks=state.masks,
    )


def progress_text(slices: PreviewSlices) -> str:
    """Say how many projections the slices hold."""
    name = shown_name(slices.tomogram)
    if slices.complete:
        return f"{name}: complete, {slices.num_projections} projections"
    return f"{name}: {slices.num_projections} of {slices.num_announced} projections"


def warning_text(*, coverage: float, grey_values_absolute: bool) -> str:
    """Say what is wrong with what is seen; empty if nothing is."""
    words = []
    if coverage < WHOLE_COVERAGE:
        words.append(f"{coverage:.0%} of the directions: smeared along the missing ones")
    if not grey_values_absolute:
        words.append("grey values not absolute")
    return " · ".join(words)
