"""What the cuboids of a layer say together: its mean displacement, and how much of their scatter is noise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Nodes = NDArray[np.bool_]

MIN_NODES = 6
FARTHEST_SPREADS = 3.0  # scatter beyond is cut off: single lost cuboids say nothing of the others


@dataclass(frozen=True)
class Layer:
    """A layer of cuboids: components are (x, y, z upwards), uncertainties one standard deviation.

    ``scatter_um`` is how much the nodes differ from the layer's plane by more than noise, ``noise_um`` that of a single
    node, both of shape (3,). What too few nodes were found for is NaN.
    """

    height_um: float
    mean_um: Floats
    uncertainty_um: Floats
    scatter_um: Floats
    noise_um: Floats
    num_nodes: int


@dataclass(frozen=True)
class Settled:
    """Displacement of every node beside its layer, with the uncertainty that this leaves, shapes (n, 3)."""

    displacement_um: Floats
    uncertainty_um: Floats
    layers: tuple[Layer, ...]


def settle(
    node_um: Floats,
    displacement_um: Floats,
    uncertainty_um: Floats,
    good: Nodes,
    shape: tuple[int, int, int],
    systematic_um: float,
) -> Settled:
    """Tell noise from motion by what neighbours share, and draw each node to its layer as far as its noise asks.

    Errors of neighbouring cuboids are independent, motion is not: the product of neighbours' distances from the plane
    through their layer is the variance of the motion, the rest of the scatter is noise. A node is then the mean of its
    own value and the plane, weighted with both variances. What moves by itself in one cuboid alone is thereby lost.

    Parameters
    ----------
    node_um, displacement_um, uncertainty_um
        Of the fits, shape (n, 3); NaN where there is none.
    good
        Nodes that are taken into account, shape (n,).
    shape
        Number of layers and of nodes along y and x.
    systematic_um
        Uncertainty that all nodes of a layer share.
    """
    num_layers, num_y, num_x = shape
    settled, left = np.array(displacement_um), np.array(uncertainty_um)
    layers = []
    for index in range(num_layers):
        nodes = np.arange(index * num_y * num_x, (index + 1) * num_y * num_x)
        usable = good[nodes]
        means, uncertain, scatter, noise = (np.full(3, np.nan) for _ in range(4))
        for axis in range(3):
            if usable.sum() < MIN_NODES:
                continue
            told = uncertainty_um[nodes, axis]
            values = displacement_um[nodes, axis]
            plane, plane_spread, mean_spread = _plane(node_um[nodes, :2], values, told, usable)
            beside = np.where(usable, values - plane, np.nan).reshape(num_y, num_x)
            limit = FARTHEST_SPREADS * 1.4826 * np.nanmedian(np.abs(beside))
            cut = np.clip(beside, -limit, limit)
            all2 = float(np.nanmean(cut**2))
            # As much as noise shares by chance may be motion: it is reckoned as such.
            shared2 = max(_shared_variance(cut), 0.0) + all2 / np.sqrt(2 * usable.sum())
            motion2 = min(shared2, all2)
            factor = max(np.sqrt(all2 - motion2) / np.median(told[usable]), 1.0)
            noise2 = (factor * told) ** 2
            share = motion2 / (motion2 + noise2)
            plane_variance = (factor * plane_spread) ** 2 + systematic_um**2
            mean_variance = (factor * mean_spread) ** 2 + motion2 / usable.sum() + systematic_um**2
            settled[nodes, axis] = np.where(usable, plane + share * (values - plane), values)
            left[nodes, axis] = np.where(usable, np.sqrt(share * noise2 + plane_variance), factor * told)
            means[axis], uncertain[axis] = plane.mean(), np.sqrt(mean_variance)
            scatter[axis], noise[axis] = np.sqrt(motion2), factor * np.median(told[usable])
        height_um = float(node_um[nodes, 2].mean())
        layers.append(Layer(height_um, means, uncertain, scatter, noise, int(usable.sum())))
    return Settled(settled, left, tuple(layers))


def _plane(places_um: Floats, values: Floats, told: Floats, usable: Nodes) -> tuple[Floats, Floats, float]:
    """Fit a plane, outliers counting less; return it and its uncertainty at all places, and that of its mean."""
    design = np.column_stack([np.ones(len(places_um)), places_um / 100.0])
    weight = np.where(usable, 1 / np.where(usable, told, 1) ** 2, 0)
    weight = np.minimum(weight, 4 * np.median(weight[usable]))
    filled = np.where(usable, values, 0)
    robust = weight
    coefficients = np.zeros(3)
    for _ in range(10):
        normal = design.T @ (robust[:, None] * design)
        coefficients = np.linalg.solve(normal, design.T @ (robust * filled))
        distance = np.abs(filled - design @ coefficients)
        spread = 1.4826 * float(np.median(distance[usable])) + 1e-9
        robust = weight * np.minimum(1.0, 1.5 * spread / np.maximum(distance, 1e-9))  # Huber's weights
    inverse = np.linalg.inv(design.T @ (robust[:, None] * design))
    noise = np.where(usable, told, 0)
    influence = (design @ inverse @ design.T) * robust * noise
    of_mean = (design.mean(0) @ inverse @ design.T) * robust * noise
    return design @ coefficients, np.sqrt((influence**2).sum(1)), float(np.linalg.norm(of_mean))


def _shared_variance(beside: Floats) -> float:
    products = np.concatenate([(beside[1:] * beside[:-1]).ravel(), (beside[:, 1:] * beside[:, :-1]).ravel()])
    known = np.isfinite(products)
    return float(products[known].mean()) if known.any() else 0.0
