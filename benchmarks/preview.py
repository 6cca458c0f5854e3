"""What three movable planes cost beside the filter that feeds them."""

import statistics
import time
from dataclasses import dataclass

import numpy as np

from live_analysis.reconstruction.hierarchy import LINEAR_STEPS
from live_analysis.reconstruction.preview import Preview
from live_analysis.reconstruction.ramp_filter import UM_PER_CM, RampFilter

FRAMES_AT_ONCE = 8
LEAST_BATCHES = 20


@dataclass(frozen=True)
class PreviewCost:
    """Medians in ms for square projections: of one projection, of a plane that moves, of a call for the slices.

    ``to_filter`` is the median of the ratios of neighbouring batches. A move fills a plane from ``num_kept``
    projections.
    """

    num_columns: int
    filter_ms: float
    add_ms: float
    to_filter: float
    num_kept: int
    move_xy_ms: float
    move_xz_ms: float
    move_yz_ms: float
    slices_ms: float
    bytes_kept: int

    def lines(self) -> list[str]:
        """Return a table for people."""
        num = self.num_columns
        return [
            f"  three planes, {num} rows     {self.add_ms:9.3f} ms per projection, {self.to_filter:.3f} of its filter "
            f"({self.filter_ms:.3f} ms)   bar 0.25, aim 0.15",
            f"    moved, {self.num_kept} projections   xy {self.move_xy_ms:.0f} ms, xz {self.move_xz_ms:.0f} ms, "
            f"yz {self.move_yz_ms:.0f} ms; slices() {self.slices_ms:.1f} ms; {self.bytes_kept / 2**20:.0f} MiB",
        ]


def preview_cost(num_columns: int, num_projections: int, num_rounds: int) -> PreviewCost:
    """Filter and add a scan of square projections batch by batch, then move the planes ``num_rounds`` times."""
    rng = np.random.default_rng(1)
    integrals = rng.random((FRAMES_AT_ONCE, num_columns, num_columns), np.float32)
    ramp = RampFilter(num_columns, num_columns, UM_PER_CM, linear_steps=LINEAR_STEPS)
    buffer, step_deg = ramp.new_buffer(FRAMES_AT_ONCE), 180.0 / num_projections
    preview = Preview(
        num_columns, num_columns, (num_columns - 1) / 2, angle_step_deg=step_deg, num_kept=num_projections
    )
    filter_s, add_s = [], []
    for batch in range(max(num_projections // FRAMES_AT_ONCE, LEAST_BATCHES)):
        angles_deg = np.asarray((batch * FRAMES_AT_ONCE + np.arange(FRAMES_AT_ONCE)) * step_deg, np.float64)
        began = time.perf_counter()
        ramp.filter(integrals, buffer, 0)
        filtered = time.perf_counter()
        preview.add(buffer, angles_deg)
        filter_s.append(filtered - began)
        add_s.append(time.perf_counter() - filtered)
    moves: dict[str, list[float]] = {"row": [], "y": [], "x": [], "slices": []}
    for place in range(1, num_rounds + 2):
        for name in ("row", "y", "x"):
            began = time.perf_counter()
            preview.move(**{name: num_columns // 2 + place})
            moves[name].append(time.perf_counter() - began)
        began = time.perf_counter()
        preview.slices()
        moves["slices"].append(time.perf_counter() - began)
    ms = {name: 1e3 * statistics.median(values[1:]) for name, values in moves.items()}
    return PreviewCost(
        num_columns,
        1e3 * statistics.median(filter_s[1:]) / FRAMES_AT_ONCE,
        1e3 * statistics.median(add_s[1:]) / FRAMES_AT_ONCE,
        statistics.median(a / f for a, f in zip(add_s[1:], filter_s[1:], strict=True)),
        num_projections,
        ms["row"],
        ms["y"],
        ms["x"],
        ms["slices"],
        preview.num_bytes,
    )
