"""Voltage and differential capacity of the half cycles."""

import math
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from live_analysis.cycling.differential_capacity import DifferentialCapacity, differential_capacity
from operando.session.report.cell_traces import Samples
from operando.session.report.decimation import peaks_kept
from operando.session.report.plot_axes import Scale, draw_level_axis, draw_upright_axis, spanning
from operando.session.report.svg_drawing import COLOURS, GREY, Drawing, text_width

LEFT_PX, RIGHT_PX, TOP_PX, PLOT_PX, BOTTOM_PX = 70, 16, 12, 280, 54
SHOWN_PERCENT = 96.0  # of the values of dq/dV: on a flat plateau it has no bound
DASHES = ("", "6 3", "2 3")


@dataclass(frozen=True)
class HalfCycleCurve:
    """One step under current: capacity from its beginning in mAh/g, voltage in V, and their slope if there is one."""

    name: str
    capacity_mah_per_g: NDArray[np.float64]
    voltage_v: NDArray[np.float64]
    charging: bool
    slope: DifferentialCapacity | None


def half_cycle_curve(
    name: str, samples: Samples, begin_s: float, end_s: float, active_mass_mg: float
) -> HalfCycleCurve | None:
    """Return a step's curve; None where it has no good samples under current."""
    here = (samples.time_s >= begin_s) & (samples.time_s <= end_s) & samples.good
    columns = [samples.values[key][here] for key in ("voltage_v", "current_a", "charge_mah")]
    finite = np.isfinite(columns).all(axis=0)
    voltage_v, current_a, charge_mah = (column[finite] for column in columns)
    if voltage_v.size < 2 or not np.median(np.abs(current_a)) > 0:
        return None
    capacity = np.abs(charge_mah - charge_mah[0]) * 1e3 / active_mass_mg
    slope = differential_capacity(capacity, voltage_v, current_a)
    return HalfCycleCurve(name, capacity, voltage_v, float(np.median(current_a)) > 0, slope)


def voltage_plot(curves: list[HalfCycleCurve], *, width: int) -> Markup:
    """Draw voltage against capacity."""
    ends = [float(end) for curve in curves for end in (curve.capacity_mah_per_g.max(), 0.0)]
    volts = [float(end) for curve in curves for end in (curve.voltage_v.min(), curve.voltage_v.max())]
    drawing, across, up = _frame(width, len(curves), ends, volts, "capacity of the step, mAh/g", "voltage, V")
    for index, curve in enumerate(curves):
        order = np.argsort(curve.capacity_mah_per_g, kind="stable")
        x, y = peaks_kept(curve.capacity_mah_per_g[order], curve.voltage_v[order], int(across.high_px - across.low_px))
        drawing.curve(across.pxs(x), up.pxs(y), _colour(index), dash=_dash(index))
    _legend(drawing, list(enumerate(curves)))
    return drawing.svg("Voltage against capacity of the steps under current: " + ", ".join(c.name for c in curves))


def differential_plot(curves: list[HalfCycleCurve], *, width: int) -> Markup | None:
    """Draw charge per voltage against voltage, in magnitude; None where no step has enough samples."""
    told = [(index, curve, curve.slope) for index, curve in enumerate(curves) if curve.slope is not None]
    values = {index: np.abs(slope.mah_per_g_v) for index, _, slope in told}
    finite = np.concatenate([value[np.isfinite(value)] for value in values.values()]) if values else np.empty(0)
    if not finite.size:
        return None
    highest = float(np.percentile(finite, SHOWN_PERCENT))
    volts = [float(end) for _, _, slope in told for end in (slope.voltage_v.min(), slope.voltage_v.max())]
    title = "|dq/dV|, mAh/(g V)"
    drawing, across, up = _frame(width, len(told), volts, [0.0, highest], "voltage, V", title)
    for index, _, slope in told:
        shown = np.where(values[index] <= up.high, values[index], np.nan)
        for part in _unbroken(np.isfinite(shown)):
            x, y = across.pxs(slope.voltage_v[part]), up.pxs(shown[part])
            drawing.curve(x, y, _colour(index), dash=_dash(index))
    _legend(drawing, [(index, curve) for index, curve, _ in told])
    return drawing.svg("Charge per voltage against voltage: " + ", ".join(curve.name for _, curve, _ in told))


def _frame(
    width: int, num: int, across: list[float], up: list[float], across_title: str, up_title: str
) -> tuple[Drawing, Scale, Scale]:
    rows = math.ceil(num / _per_row(width))
    drawing = Drawing(width, TOP_PX + PLOT_PX + BOTTOM_PX + 18 * rows)
    x = spanning(across, LEFT_PX, width - RIGHT_PX, at_least=1e-3)
    y = spanning(up, TOP_PX + PLOT_PX, TOP_PX, at_least=1e-3)
    draw_level_axis(drawing, x, TOP_PX, TOP_PX + PLOT_PX, across_title, num=6 if width > 450 else 4)
    draw_upright_axis(drawing, y, LEFT_PX, width - RIGHT_PX, up_title, num=5)
    drawing.line(LEFT_PX, TOP_PX + PLOT_PX, width - RIGHT_PX, TOP_PX + PLOT_PX, GREY)
    return drawing, x, y


def _legend(drawing: Drawing, curves: list[tuple[int, HalfCycleCurve]]) -> None:
    per_row = _per_row(drawing.width)
    cell = (drawing.width - LEFT_PX) / per_row
    for place, (index, curve) in enumerate(curves):
        x = LEFT_PX + cell * (place % per_row)
        y = TOP_PX + PLOT_PX + BOTTOM_PX + 18 * (place // per_row) + 4
        drawing.line(x, y - 4, x + 24, y - 4, _colour(index), 2, _dash(index))
        name = (
            curve.name if text_width(curve.name) < cell - 32 else curve.name[: int((cell - 38) / text_width("x"))] + "…"
        )
        drawing.text(x + 30, y, name)


def _per_row(width: float) -> int:
    return max(int(width / 230), 1)


def _colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]


def _dash(index: int) -> str:
    return DASHES[index // len(COLOURS) % len(DASHES)]


def _unbroken(shown: NDArray[np.bool_]) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], shown, [False]]).astype(np.int8)))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 1]
