"""Whether the view itself moved between two tomograms: the electrode is at rest at its collector, at height zero.

The collector is opaque and cannot be tracked. What the layers rise by is continued down to it; where that differs from
nothing by more than it may be off, stage, beam or camera have moved, and all rises are counted from the collector.
"""

from dataclasses import dataclass

import numpy as np

from live_analysis.displacement.layers import Layer

SURE_SPREADS = 3.0
VIEW_SHIFTED, VIEW_NOT_CHECKED = "view_shifted", "view_not_checked"
MIN_LAYERS = 3  # for a parabola through all but the uppermost, where cracks bend the rise
MOST_UNCERTAIN_UM = 3.0  # a motion of the view that would not be seen by three times this is not excluded


@dataclass(frozen=True)
class CollectorRise:
    """Rise that the layers show at the collector, and that which is taken off all of them, in um."""

    continued_um: float
    continued_uncertainty_um: float
    taken_off_um: float
    taken_off_uncertainty_um: float

    @property
    def view_moved(self) -> bool:
        """Whether something is taken off."""
        return self.taken_off_um != 0

    @property
    def flags(self) -> tuple[str, ...]:
        """What must be known of a height that is compared: the view moved, or nothing tells whether it did."""
        if self.view_moved:
            return (VIEW_SHIFTED,)
        return () if self.continued_uncertainty_um < MOST_UNCERTAIN_UM else (VIEW_NOT_CHECKED,)


NOT_CHECKED = CollectorRise(float("nan"), float("nan"), 0.0, 0.0)


def collector_rise(layers: tuple[Layer, ...]) -> CollectorRise:
    """Continue the rise of the layers to height 0; NaN where too few were measured."""
    known = [layer for layer in layers[:-1] if np.isfinite(layer.mean_um[2])]
    if len(known) < MIN_LAYERS:
        return NOT_CHECKED
    heights = np.array([layer.height_um for layer in known]) / 100.0
    spreads = np.array([layer.uncertainty_um[2] for layer in known])
    design = np.stack([np.ones_like(heights), heights, heights**2], axis=1) / spreads[:, None]
    inverse = np.linalg.inv(design.T @ design)
    rise = float((inverse @ design.T @ (np.array([layer.mean_um[2] for layer in known]) / spreads))[0])
    uncertainty = float(np.sqrt(inverse[0, 0]))
    moved = abs(rise) > SURE_SPREADS * uncertainty
    return CollectorRise(rise, uncertainty, rise if moved else 0.0, uncertainty if moved else 0.0)
