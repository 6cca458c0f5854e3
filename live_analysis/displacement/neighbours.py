"""What the neighbours of a node say about it."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

OUTLIER_SPREADS = 4.0
MIN_NEIGHBOURS = 4


def neighbour_medians(values: Floats, known: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return median and spread over the up to 26 neighbours of every node.

    Parameters
    ----------
    values
        Shape (layer, row, column, components).
    known
        Nodes that are asked, shape (layer, row, column).

    Returns
    -------
    tuple
        Both of the shape of ``values``, NaN where fewer than four neighbours are known. The spread is that of a normal
        distribution with the same median of absolute differences. What changes from layer to layer is followed: the
        median differences between layers are taken out first.
    """
    layers = np.stack([np.median(layer[k], axis=0) if k.any() else np.full(values.shape[-1], np.nan)
                       for layer, k in zip(values, known, strict=True)])  # fmt: skip
    level = np.where(np.isfinite(layers), layers, 0)[:, None, None, :]
    padded = np.pad(
        np.where(known[..., None], values - level, np.nan), ((1, 1), (1, 1), (1, 1), (0, 0)), constant_values=np.nan
    )
    num_layers, num_rows, num_columns = known.shape
    around = np.stack(
        [
            padded[a : a + num_layers, b : b + num_rows, c : c + num_columns]
            for a in range(3)
            for b in range(3)
            for c in range(3)
            if (a, b, c) != (1, 1, 1)
        ]
    )
    enough = np.isfinite(around[..., 0]).sum(0) >= MIN_NEIGHBOURS
    median, spread = np.full(values.shape, np.nan), np.full(values.shape, np.nan)
    asked = around[:, enough]
    median[enough] = np.nanmedian(asked, axis=0)
    spread[enough] = 1.4826 * np.nanmedian(np.abs(asked - median[enough]), axis=0)
    return np.asarray(median + level), spread


def outliers(values: Floats, known: NDArray[np.bool_], tolerance: Floats | float) -> NDArray[np.bool_]:
    """Tell nodes that differ from their neighbours by more than these from each other; shape (layer, row, column).

    ``tolerance`` is added to the spread of the neighbours, so that quiet fields do not lose what is merely noisy.
    """
    median, spread = neighbour_medians(values, known)
    beside = np.abs(values - median) > OUTLIER_SPREADS * (spread + tolerance)
    return np.asarray(known & beside.any(-1))
