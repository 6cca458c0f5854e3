"""A slice made of ellipses, with exact strip integrals and with the mean of every pixel, as a yardstick."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SUPERSAMPLING = 6


@dataclass(frozen=True)
class Ellipse:
    """An ellipse of constant attenuation per pixel; lengths in units of half the view."""

    x: float
    y: float
    half_a: float
    half_b: float
    turned_rad: float
    attenuation: float


def battery_slice(seed: int) -> list[Ellipse]:
    """Return a can with a cathode of particles of two kinds and cracks, inside 0.9 of the view."""
    rng = np.random.default_rng(seed)
    found = [
        Ellipse(0, 0, 0.9, 0.9, 0, 0.4),
        Ellipse(0, 0, 0.85, 0.85, 0, -0.15),
        Ellipse(0.05, -0.1, 0.12, 0.12, 0, 0.3),
    ]
    for _ in range(60):
        radius, turn = 0.75 * np.sqrt(rng.uniform()), rng.uniform(0, 2 * np.pi)
        half_a = rng.uniform(0.015, 0.07)
        found.append(
            Ellipse(
                radius * np.cos(turn),
                radius * np.sin(turn),
                half_a,
                half_a * rng.uniform(0.4, 1),
                rng.uniform(0, np.pi),
                rng.choice((0.25, 0.6)),
            )
        )
    for _ in range(8):
        x, y = rng.uniform(-0.5, 0.5, 2)
        found.append(Ellipse(x, y, rng.uniform(0.1, 0.2), 0.008, rng.uniform(0, np.pi), -0.2))
    return found


def disc(radius: float, attenuation: float = 1.0) -> list[Ellipse]:
    """Return one disc about the middle."""
    return [Ellipse(0, 0, radius, radius, 0, attenuation)]


def strip_integrals(ellipses: list[Ellipse], angles_rad: NDArray[np.float64], num_columns: int) -> NDArray[np.float64]:
    """Return the mean attenuation integral over every column, in pixels, shape (angle, column); in float64."""
    edges = (np.arange(num_columns + 1) - num_columns / 2) / (num_columns / 2)
    sums = np.zeros((len(angles_rad), num_columns))
    for e in ellipses:
        across = np.hypot(e.half_a * np.cos(angles_rad - e.turned_rad), e.half_b * np.sin(angles_rad - e.turned_rad))
        middle = e.x * np.cos(angles_rad) + e.y * np.sin(angles_rad)
        p = np.clip((edges[None, :] - middle[:, None]) / across[:, None], -1, 1)
        area = e.half_a * e.half_b * (p * np.sqrt(1 - p**2) + np.arcsin(p))
        sums += e.attenuation * np.diff(area, axis=1)
    return np.asarray(sums * (num_columns / 2) ** 2)


def pixel_means(ellipses: list[Ellipse], num: int) -> NDArray[np.float64]:
    """Return the mean attenuation of every pixel, shape (y, x), from a grid of points in each."""
    fine = (np.arange(num * SUPERSAMPLING) + 0.5) / (num * SUPERSAMPLING / 2) - 1
    means = np.zeros((num, num))
    for row in range(num):
        y = fine[row * SUPERSAMPLING : (row + 1) * SUPERSAMPLING, None]
        values = np.zeros((SUPERSAMPLING, len(fine)))
        for e in ellipses:
            dx, dy = fine[None, :] - e.x, y - e.y
            a = (dx * np.cos(e.turned_rad) + dy * np.sin(e.turned_rad)) / e.half_a
            b = (dy * np.cos(e.turned_rad) - dx * np.sin(e.turned_rad)) / e.half_b
            values += e.attenuation * (a**2 + b**2 <= 1)
        means[row] = values.reshape(SUPERSAMPLING, num, SUPERSAMPLING).mean(axis=(0, 2))
    return means


def rms_error(found: NDArray[np.float32], truth: NDArray[np.float64], radius: float = 0.95) -> float:
    """Return the root mean square error within ``radius`` of the view."""
    num = len(truth)
    y, x = np.mgrid[:num, :num] - (num - 1) / 2
    inside = np.hypot(x, y) < radius * num / 2
    return float(np.sqrt(((found[inside] - truth[inside]) ** 2).mean()))
