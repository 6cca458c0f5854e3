"""Attenuation integrals of cylinders and spheroids in closed form, in float64; lengths in um, attenuation in 1/cm.

Written for the tests alone, so that no formula is shared with the analysis or with the simulated beamline.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

CM_PER_UM = 1e-4


def evenly(num: int, step_deg: float) -> NDArray[np.float64]:
    """Angles 0, step, 2 step, ... in degrees."""
    return np.arange(num, dtype=np.float64) * step_deg


@dataclass(frozen=True)
class Detector:
    """Angles and pixels of a scan."""

    angles_deg: NDArray[np.float64]
    num_rows: int
    num_columns: int
    pixel_um: float
    axis_column: float

    def edges_um(self, parts: int = 1) -> NDArray[np.float64]:
        """Edges of (parts of) columns from the axis, shape (parts * column + 1,)."""
        return (np.arange(self.num_columns * parts + 1) / parts - 0.5 - self.axis_column) * self.pixel_um


def cylinder(
    detector: Detector, radius_um: float, per_cm: float, x_um: float = 0.0, y_um: float = 0.0, parts: int = 1
) -> NDArray[np.float64]:
    """An upright cylinder, averaged over (parts of) columns: shape (frame, 1, parts * column)."""
    theta = np.radians(detector.angles_deg)[:, None]
    edges = detector.edges_um(parts)[None, :] - x_um * np.cos(theta) - y_um * np.sin(theta)
    edges = np.clip(edges, -radius_um, radius_um)
    area = edges * np.sqrt(radius_um**2 - edges**2) + radius_um**2 * np.arcsin(edges / radius_um)
    mean: NDArray[np.float64] = np.diff(area, axis=1) / detector.pixel_um * parts
    return mean[:, None, :] * per_cm * CM_PER_UM


@dataclass(frozen=True)
class Spheroid:
    """Half axis ``a_um`` across and ``c_um`` along the rotation axis, at (x, y) from it and z below row 0's centre."""

    x_um: float
    y_um: float
    z_um: float
    a_um: float
    c_um: float
    per_cm: float

    @property
    def volume_um3(self) -> float:
        """Exact volume."""
        return 4 / 3 * np.pi * self.a_um**2 * self.c_um

    def add_to(self, integrals: NDArray[np.float64], detector: Detector, parts: int = 1) -> None:
        """Add its rays, averaged over rows exactly, at the centres of parts of columns."""
        edges = detector.edges_um(parts)
        u_um = (edges[1:] + edges[:-1]) / 2
        row_edges = ((np.arange(detector.num_rows + 1) - 0.5) * detector.pixel_um - self.z_um) / self.c_um
        for frame, theta in enumerate(np.radians(detector.angles_deg)):
            across = (u_um - self.x_um * np.cos(theta) - self.y_um * np.sin(theta)) / self.a_um
            hit = np.flatnonzero(np.abs(across) < 1)
            half = np.sqrt(1 - across[hit] ** 2)
            t = np.clip(row_edges[:, None], -half, half)
            area = 0.5 * (t * np.sqrt(np.maximum(half**2 - t**2, 0)) + half**2 * np.arcsin(np.clip(t / half, -1, 1)))
            mean = 2 * self.a_um * np.diff(area, axis=0) * self.c_um / detector.pixel_um
            integrals[frame][:, hit] += mean * self.per_cm * CM_PER_UM


def expose(
    integrals: NDArray[np.float64], photons: float, pixel_um: float, fwhm_um: float, seed: int, parts: int = 1
) -> NDArray[np.float32]:
    """Turn integrals at parts of columns into those a detector with blur and photon noise would give."""
    num_frames, num_rows, width = integrals.shape
    transmission = np.exp(-integrals).reshape(num_frames, num_rows, width // parts, parts).mean(axis=3)
    sigma = fwhm_um / 2.3548 / pixel_um
    blurred = ndimage.gaussian_filter(transmission, (0, sigma, sigma), mode="nearest")
    counts = np.random.default_rng(seed).poisson(photons * blurred)
    return np.asarray(-np.log(counts / photons), np.float32)


def particles_in_bore(detector: Detector, bore_radius_um: float, num: int, per_cm: float, seed: int) -> list[Spheroid]:
    """Spheres of 10 to 30 um radius anywhere in the bore, most of them outside a truncated view."""
    rng = np.random.default_rng(seed)
    radius = (bore_radius_um - 40) * np.sqrt(rng.uniform(0, 1, num))
    angle = rng.uniform(0, 2 * np.pi, num)
    height = detector.num_rows * detector.pixel_um
    return [
        Spheroid(r * np.cos(t), r * np.sin(t), z, size, size, per_cm)
        for r, t, z, size in zip(
            radius, angle, rng.uniform(-20, height + 20, num), rng.uniform(10, 30, num), strict=True
        )
    ]
