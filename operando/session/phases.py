"""Dividing a volume into phases and printing what they are: fractions, what hangs together, surfaces."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table

from live_analysis.segmentation.grey_histogram import GreyValueError
from live_analysis.segmentation.labelling import ConnectivityError
from live_analysis.segmentation.multi_otsu import MAX_CLASSES
from live_analysis.segmentation.phase_analysis import (
    PhaseAnalysis,
    PhaseRequest,
    VolumeTooLargeError,
    analyse_phases,
    check_memory,
    label_values,
)
from live_analysis.segmentation.volume_files import open_volume
from live_analysis.segmentation.volume_source import VolumeFileError, VolumeSource
from operando.model.number_text import number_text
from operando.session.errors import EXIT_COMPLETE, EXIT_STOPPED, RequestError
from operando.session.interrupt import Interrupted, one_interrupt
from operando.session.results_table import json_text
from operando.session.volume_options import memory_to_use, quantity_of

AXES = ("z", "y", "x")
FEW_LABELS = 8  # so few whole numbers in a volume are labels, not grey values
USUAL_CLASSES = 3
PRINTED_LAYERS = 10


@dataclass(frozen=True)
class PhasesRequest:
    """What a person asks on the command line."""

    volume: Path
    num_classes: int | None
    labels: bool
    voxel_size: str | None
    axis: str | None
    connectivity: int
    median: bool
    memory: str | None


def print_phases(request: PhasesRequest, console: Console, *, json: bool) -> int:
    """Measure the phases of a volume and print them; return the exit code.

    Raises
    ------
    RequestError
        If the volume cannot be read, or not be divided as asked.
    """
    if request.labels and request.num_classes is not None:
        raise RequestError("--labels and --classes: a volume holds either labels or grey values; give one of them.")
    if request.num_classes is not None and not 2 <= request.num_classes <= MAX_CLASSES:
        raise RequestError(f"--classes {request.num_classes}: grey values are divided into 2 to {MAX_CLASSES} classes.")
    axis = (request.axis or "z").lower()
    if axis not in AXES:
        raise RequestError(f"--axis {request.axis}: is z, y or x.")
    try:
        with one_interrupt():
            source, memory_bytes = open_volume(request.volume), memory_to_use(request.memory)
            check_memory(source, memory_bytes)
            with _Shown(console, hidden=json) as shown:
                num_classes = _num_classes(request, source, shown)
                settings = PhaseRequest(
                    num_classes,
                    _spacing_um(request.voxel_size, source),
                    AXES.index(axis),
                    request.connectivity,
                    request.median and num_classes is not None,
                    memory_bytes,
                )
                found = analyse_phases(source, settings, shown.show)
    except (VolumeFileError, GreyValueError, ConnectivityError, VolumeTooLargeError) as error:
        raise RequestError(str(error)) from error
    except OSError as error:
        raise RequestError(f"{request.volume}: cannot be read ({error}).") from error
    except Interrupted:
        console.print("Interrupted; nothing was measured.")
        return EXIT_STOPPED
    if json:
        print(json_text(_as_json(source, settings, found)))
    else:
        _tell(source, settings, found, console, layers=request.axis is not None)
    return EXIT_COMPLETE


def _num_classes(request: PhasesRequest, source: VolumeSource, shown: "_Shown") -> int | None:
    """Return how many classes; None for labels. Without a wish few whole numbers are labels."""
    if request.labels or request.num_classes is not None:
        return request.num_classes
    values = label_values(source, FEW_LABELS, shown.show)
    return USUAL_CLASSES if values is None or (values % 1).any() else None


def _spacing_um(text: str | None, source: VolumeSource) -> tuple[float, float, float] | None:
    if text is None:
        return source.spacing_um
    size_um = quantity_of("--voxel-size", text, "um")
    return size_um, size_um, size_um


class _Shown:
    """Shows on a terminal how far the work is."""

    def __init__(self, console: Console, *, hidden: bool) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=24), TaskProgressColumn(),
            console=console, transient=True, disable=hidden or not console.is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task("reading", total=1.0)

    def __enter__(self) -> "_Shown":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, stage: str, done: float) -> None:
        """Show the stage and which part of it is done."""
        self._bar.update(self._task, description=stage, completed=done)


def _tell(
    source: VolumeSource, settings: PhaseRequest, found: PhaseAnalysis, console: Console, *, layers: bool
) -> None:
    num_z, num_y, num_x = source.shape
    spacing = settings.spacing_um
    size = "size of voxels not known; --voxel-size gives it" if spacing is None else _size_text(spacing)
    lines = [f"{source.name}: {num_x} x {num_y} x {num_z} voxels (x, y, z), {size}"]
    lines += source.remarks
    if found.num_outside:
        lines.append(f"{found.num_outside / source.num_voxels:.2%} of them are no finite numbers and count as outside")
    if found.sensitivity is None:
        lines.append("labels: the volume is divided already")
    else:
        texts = ", ".join(f"{threshold:.4g}" for threshold in found.thresholds)
        others = ", ".join(f"{threshold:.4g}" for threshold in found.sensitivity.crossings)
        smoothed = "of 3 x 3 x 3 medians, " if settings.median else ""
        lines.append(f"thresholds (multi-Otsu, {smoothed}{len(found.grey_lows)} classes): {texts}")
        lines.append(f"where normal distributions fitted to the classes cross: {others}")
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)
    console.print(_table(settings, found))
    if layers:
        console.print(_layers_table(settings, found))
    console.print(
        "Fraction ± one standard deviation, from thresholds and from how much parts of the volume differ. Through: in "
        f"components of {settings.connectivity}-neighbours from face to face. Isolated: touching no face.",
        highlight=False,
    )


def _size_text(spacing: tuple[float, float, float]) -> str:
    if len(set(spacing)) == 1:
        return f"{spacing[0]:g} um"
    return " x ".join(f"{step:g}" for step in reversed(spacing)) + " um"


def _table(settings: PhaseRequest, found: PhaseAnalysis) -> Table:
    known = settings.spacing_um is not None
    voxel = float(np.prod(settings.spacing_um)) if settings.spacing_um else 1.0
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("phase", justify="right")
    table.add_column("label" if found.sensitivity is None else "grey values", justify="right")
    table.add_column("fraction\n%", justify="right", no_wrap=True)
    if found.sensitivity is not None:
        table.add_column("moves with\nthreshold, %", justify="right")
    for axis in AXES:
        table.add_column(f"through\n{axis}, %", justify="right")
    table.add_column("isolated\n%", justify="right")
    table.add_column("surface\n1/um" if known else "surface\n1/voxel", justify="right")
    table.add_column("parts", justify="right")
    table.add_column("largest\num3" if known else "largest\nvoxels", justify="right")
    for index, connected in enumerate(found.connectivities):
        low, high = found.grey_lows[index], found.grey_highs[index]
        row = [str(index + 1), f"{low:g}" if low == high else f"{low:.4g} to {high:.4g}"]
        row.append(number_text(100 * found.fractions.fractions[index], 100 * found.uncertainties[index]))
        if found.sensitivity is not None:
            row.append(f"± {100 * found.sensitivity.per_shift[index]:.2g}")
        row += [f"{100 * part:.4g}" for part in (*connected.through, connected.isolated)]
        row.append(f"{found.surfaces[index]:.4g}")
        row.append(str(connected.num_components))
        row.append(", ".join(f"{size * voxel:.3g}" for size in connected.largest))
        table.add_row(*row)
    return table


def _layers_table(settings: PhaseRequest, found: PhaseAnalysis) -> Table:
    layers = found.fractions.layers
    table = Table(
        title=f"fractions along {AXES[settings.axis]}, %", title_justify="left",
        box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1),
    )  # fmt: skip
    table.add_column("layers", justify="right")
    for index in range(layers.shape[1]):
        table.add_column(f"phase {index + 1}", justify="right")
    for part in np.array_split(np.arange(len(layers)), min(PRINTED_LAYERS, len(layers))):
        held = layers[part][np.isfinite(layers[part]).all(axis=1)]
        means = held.mean(axis=0) if len(held) else np.full(layers.shape[1], np.nan)
        table.add_row(f"{part[0]} to {part[-1]}", *(f"{100 * mean:.4g}" for mean in means))
    return table


def _as_json(source: VolumeSource, settings: PhaseRequest, found: PhaseAnalysis) -> dict[str, Any]:
    phases = []
    for index, connected in enumerate(found.connectivities):
        phases.append(
            {
                "phase": index + 1,
                "grey_low": found.grey_lows[index],
                "grey_high": found.grey_highs[index],
                "fraction": found.fractions.fractions[index],
                "uncertainty": found.uncertainties[index],
                "uncertainty_from_sampling": found.fractions.sampling[index],
                **_sensitivity(found, index),
                "num_voxels": connected.num_voxels,
                "through": dict(zip(AXES, connected.through, strict=True)),
                "dead_end_from_first": dict(zip(AXES, connected.from_first, strict=True)),
                "dead_end_from_last": dict(zip(AXES, connected.from_last, strict=True)),
                "isolated": connected.isolated,
                "surface": found.surfaces[index],
                "num_components": connected.num_components,
                "largest_voxels": connected.largest,
                "layers": found.fractions.layers[:, index].tolist(),
            }
        )
    return {
        "volume": source.name,
        "shape_zyx": source.shape,
        "voxel_size_zyx_um": settings.spacing_um,
        "surface_unit": "1/voxel" if settings.spacing_um is None else "1/um",
        "grey_unit": source.grey_unit,
        "remarks": source.remarks,
        "labels": found.sensitivity is None,
        "median": settings.median,
        "connectivity": settings.connectivity,
        "layers_along": AXES[settings.axis],
        "num_outside": found.num_outside,
        "thresholds": found.thresholds.tolist(),
        "crossings": [] if found.sensitivity is None else found.sensitivity.crossings.tolist(),
        "phases": phases,
    }


def _sensitivity(found: PhaseAnalysis, index: int) -> dict[str, float]:
    if found.sensitivity is None:
        return {}
    return {
        "uncertainty_from_thresholds": float(found.sensitivity.uncertainties[index]),
        "change_when_thresholds_shift": float(found.sensitivity.per_shift[index]),
        "mixture_fraction": float(found.sensitivity.mixture_fractions[index]),
        "mean_grey": float(found.sensitivity.means[index]),
    }
