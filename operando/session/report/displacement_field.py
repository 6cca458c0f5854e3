"""Displacement between two states as digital volume correlation wrote it: by depth, and as arrows."""

import math
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from operando.model.declared_size import LIST, readable
from operando.session.report.plot_axes import Scale, draw_level_axis, draw_upright_axis, spanning
from operando.session.report.svg_drawing import BLUE, COLOURS, GREY, Drawing

LEFT_PX, RIGHT_PX, TOP_PX, BOTTOM_PX = 70, 16, 26, 44
HEIGHT_PX = 320
SHORTEST_ARROW_PX = 1.5  # what is shorter is a dot
ARROW_SHARE = 0.9  # of the distance between cuboids: so long is the longest arrow drawn


class DisplacementError(ValueError):
    """A file that does not hold a displacement field."""


@dataclass(frozen=True)
class Layer:
    """What the cuboids of one height say together: µm above the bottom of the view; z is up."""

    height_um: float
    num_valid: int
    num: int
    mean_um: tuple[float, float, float]
    uncertainty_um: tuple[float, float, float]


@dataclass(frozen=True)
class DisplacementField:
    """Positions and displacements in µm, shapes (node, 3), of one state against a reference.

    ``measured_layers`` are the layers as the correlation has settled them, from cuboids that err together; empty where
    the file does not hold them.
    """

    state: str
    reference: str
    node_um: NDArray[np.float64]
    displacement_um: NDArray[np.float64]
    uncertainty_um: NDArray[np.float64]
    valid: NDArray[np.bool_]
    measured_layers: tuple[Layer, ...] = ()

    @property
    def layers(self) -> list[Layer]:
        """One entry for each height, from the separator down to the collector; means of valid cuboids if need be."""
        if self.measured_layers:
            return sorted(self.measured_layers, key=lambda layer: -layer.height_um)
        found = []
        heights = np.round(self.node_um[:, 2], 1)
        for height in np.unique(heights)[::-1]:
            here = heights == height
            used = here & self.valid
            num = int(used.sum())
            mean, error = np.full(3, np.nan), np.full(3, np.nan)
            if num:
                mean = self.displacement_um[used].mean(axis=0)
                error = np.sqrt((self.uncertainty_um[used] ** 2).sum(axis=0)) / num
            found.append(Layer(float(height), num, int(here.sum()), tuple(mean.tolist()), tuple(error.tolist())))
        return found


def read_displacement(path: Path, state: str, run_uid: str) -> DisplacementField:
    """Read ``displacement.h5`` of one state, which was measured from the tomogram of ``run_uid``.

    Raises
    ------
    DisplacementError
        If it is damaged, does not hold a field, or holds that of another tomogram.
    """
    try:
        with h5py.File(path, "r") as file:
            node, moved, uncertain = (
                np.asarray(readable(file[name], LIST)[:], np.float64)
                for name in ("node_um", "displacement_um", "uncertainty_um")
            )
            valid = np.asarray(readable(file["valid"], LIST)[:], np.bool_)
            reference = str(file.attrs.get("reference", "an earlier state"))
            layers = _layers(file, node.shape[0])
            own = str(file.attrs.get("run_uid", run_uid)) == run_uid
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise DisplacementError(f"{path.parent.name}/displacement.h5 cannot be read ({error}).") from error
    if not own:
        raise DisplacementError(f"{path.parent.name}/displacement.h5 is that of another tomogram and is not shown.")
    if node.ndim != 2 or node.shape[1:] != (3,) or not node.shape == moved.shape == uncertain.shape:
        raise DisplacementError(f"{path.parent.name}/displacement.h5 does not hold three columns for each node.")
    if valid.shape != node.shape[:1]:
        raise DisplacementError(f"{path.parent.name}/displacement.h5 does not say of each node whether it is valid.")
    valid &= np.isfinite(node).all(axis=1) & np.isfinite(moved).all(axis=1) & np.isfinite(uncertain).all(axis=1)
    return DisplacementField(state, reference, node, moved, uncertain, valid, layers)


def _layers(file: h5py.File, num_nodes: int) -> tuple[Layer, ...]:
    if "layers" not in file:
        return ()
    heights, means, errors, found = (
        np.asarray(readable(file[f"layers/{name}"], LIST)[:], np.float64)
        for name in ("height_um", "mean_um", "uncertainty_um", "num_nodes")
    )
    return tuple(
        Layer(float(height), int(num), num_nodes // len(heights), tuple(mean.tolist()), tuple(error.tolist()))
        for height, mean, error, num in zip(heights, means, errors, found, strict=True)
    )


def depth_plot(fields: list[DisplacementField], *, width: int) -> Markup:
    """Draw the mean displacement along z of every layer against its height, one colour for each state."""
    drawing = Drawing(width, HEIGHT_PX + TOP_PX + BOTTOM_PX + 18 * len(fields))
    layers = [(field, [layer for layer in field.layers if layer.num_valid]) for field in fields]
    moved = [edge for _, found in layers for layer in found for edge in _ends(layer)]
    across = spanning([*moved, 0.0], LEFT_PX, width - RIGHT_PX, at_least=1.0)
    heights = [layer.height_um for _, found in layers for layer in found]
    up = spanning(heights, TOP_PX + HEIGHT_PX, TOP_PX, at_least=10.0)
    draw_upright_axis(drawing, up, LEFT_PX, width - RIGHT_PX, "height above the bottom of the view, µm", num=5)
    title = "mean displacement along z, µm (positive: to the separator)"
    title = title if width > 600 else "along z, µm (+: to the separator)"
    draw_level_axis(drawing, across, TOP_PX, TOP_PX + HEIGHT_PX, title, num=6 if width > 600 else 4)
    drawing.line(across.px(0.0), TOP_PX, across.px(0.0), TOP_PX + HEIGHT_PX, GREY)
    for index, (field, found) in enumerate(layers):
        colour = COLOURS[index % len(COLOURS)]
        x = np.array([across.px(layer.mean_um[2]) for layer in found])
        y = np.array([up.px(layer.height_um) for layer in found])
        if found:
            drawing.curve(x, y, colour)
        for layer, px, py in zip(found, x.tolist(), y.tolist(), strict=True):
            low, high = _ends(layer)
            drawing.line(across.px(low), py, across.px(high), py, colour, 2)
            drawing.dot(px, py, colour)
        below = TOP_PX + HEIGHT_PX + BOTTOM_PX + 18 * index + 8
        drawing.dot(LEFT_PX + 6, below - 4, colour)
        drawing.text(LEFT_PX + 16, below, f"{field.state} against {field.reference}")
    return drawing.svg(
        "Mean displacement along the cell's axis by height, bars of two standard deviations to each side"
    )


def enlargement(fields: list[DisplacementField]) -> float:
    """Return how many times too long arrows can be drawn, in all states alike, before they reach their neighbours."""
    means = [moved for field in fields for moved in _columns(field).values()]
    longest_um = max((math.hypot(moved[0], moved[2]) for moved in means), default=0.0)
    between_um = min(_distance(field.node_um[:, 2], field.node_um[:, 0]) for field in fields)
    return _round_down(ARROW_SHARE * between_um / longest_um) if longest_um > 0 else 1.0


def arrow_plot(field: DisplacementField, enlarged: float, *, width: int) -> Markup:
    """Draw the mean displacement of upright columns of cuboids in the x-z plane, ``enlarged`` times too long."""
    across, up = _with_border(field.node_um[:, 0]), _with_border(field.node_um[:, 2])
    height = (width - LEFT_PX - RIGHT_PX) * (up[1] - up[0]) / (across[1] - across[0])
    drawing = Drawing(width, TOP_PX + height + BOTTOM_PX)
    x_scale = Scale(*across, LEFT_PX, width - RIGHT_PX)
    z_scale = Scale(*up, TOP_PX + height, TOP_PX)
    draw_upright_axis(drawing, z_scale, LEFT_PX, width - RIGHT_PX, "height z, µm")
    draw_level_axis(drawing, x_scale, TOP_PX, TOP_PX + height, "x from the rotation axis, µm", num=5)
    means = _columns(field)
    for (x, z), moved in means.items():
        tip = x_scale.px(x + enlarged * moved[0]), z_scale.px(z + enlarged * moved[2])
        _draw_arrow(drawing, x_scale.px(x), z_scale.px(z), *tip)
    longest_um = max((math.hypot(moved[0], moved[2]) for moved in means.values()), default=0.0)
    words = f"arrows {enlarged:g} times too long; longest {longest_um:.2f} µm"
    drawing.text(width - RIGHT_PX, 14, words, anchor="end", colour=GREY)
    return drawing.svg(f"Displacement of {field.state} against {field.reference} in the x-z plane: {words}")


def _columns(field: DisplacementField) -> dict[tuple[float, float], NDArray[np.float64]]:
    """Return the mean displacement of the valid cuboids of equal x and z."""
    x_um, z_um = np.round(field.node_um[:, 0], 1), np.round(field.node_um[:, 2], 1)
    return {
        (x, z): field.displacement_um[used].mean(axis=0)
        for x in np.unique(x_um).tolist()
        for z in np.unique(z_um).tolist()
        if (used := field.valid & (x_um == x) & (z_um == z)).any()
    }


def _draw_arrow(drawing: Drawing, x0: float, y0: float, x1: float, y1: float) -> None:
    length = math.hypot(x1 - x0, y1 - y0)
    if length < SHORTEST_ARROW_PX:
        drawing.dot(x0, y0, GREY, 1.5)
        return
    along = (x1 - x0) / length, (y1 - y0) / length
    head = min(6.0, 0.6 * length)
    back = x1 - head * along[0], y1 - head * along[1]
    drawing.line(x0, y0, *back, BLUE, 1.6)
    sides = [(back[0] - side * along[1] * head / 2, back[1] + side * along[0] * head / 2) for side in (-1, 1)]
    drawing.polygon([(x1, y1), *sides], BLUE)


def _ends(layer: Layer) -> tuple[float, float]:
    return layer.mean_um[2] - 2 * layer.uncertainty_um[2], layer.mean_um[2] + 2 * layer.uncertainty_um[2]


def _with_border(values: NDArray[np.float64]) -> tuple[float, float]:
    border = max(_distance(values), 10.0)
    return float(values.min()) - border, float(values.max()) + border


def _distance(*columns: NDArray[np.float64]) -> float:
    """Return the smallest distance between different positions, 50 µm where there is one position only."""
    found = [float(np.diff(unique).min()) for values in columns if (unique := np.unique(values)).size > 1]
    return min(found, default=50.0)


def _round_down(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return max(step * power for step in (1, 2, 5) if step * power <= value * (1 + 1e-9))
