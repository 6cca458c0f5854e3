"""The simulated detector: attenuation integrals in, counts out, with the beam's structure, blur and photon noise."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from operando.model.geometry import ImagingGeometry
from simulators.cell_parameters import Beam

FWHM_PER_SIGMA = 2.3548200450309493
FEW_PHOTONS = 50.0  # below it the normal approximation of the photon number is left for the Poisson law itself
NUM_STREAKS = 6
STREAK_STRENGTH = 0.6  # of the flat's structure
FINE_STRENGTH = 0.15
FLAT_STREAM, FRAME_STREAM = 0, 1


class Detector:
    """Scintillator, optics and chip.

    Parameters
    ----------
    geometry
        Pixels.
    beam
        Structure of the flat, blur, gain, offset and noise.
    photons_per_pixel
        Absorbed photons of a full exposure in the open beam, mean of all pixels.
    seed
        Fixes the flat's structure and, with the frame's number, its noise.
    """

    def __init__(self, geometry: ImagingGeometry, beam: Beam, *, photons_per_pixel: float, seed: int) -> None:
        self._beam = beam
        self._shape = geometry.frame_shape
        self._seed = seed
        self._sigma_px = beam.blur_fwhm.value / FWHM_PER_SIGMA / geometry.pixel_size_um
        self._photons = (photons_per_pixel * self._structure()).astype(np.float32)

    def frame(
        self,
        line_integrals: NDArray[np.float32] | None,
        *,
        open_shutter: bool,
        exposure_fraction: float = 1.0,
        frame_index: int,
    ) -> NDArray[np.uint16]:
        """Return counts, shape (row, column).

        Parameters
        ----------
        line_integrals
            Attenuation integrals in the beam, same shape, unitless; None for an empty beam.
        open_shutter
            Without beam only offset and read noise are left.
        exposure_fraction
            Photons of this frame relative to a full exposure: its duration, and the ring current.
        frame_index
            Key of the noise: the same frame always has the same.
        """
        noise = np.random.default_rng((self._seed, FRAME_STREAM, frame_index))
        normal = noise.standard_normal(self._shape, dtype=np.float32)
        if not open_shutter:
            return self._digitised(normal * np.float32(self._beam.read_noise.value))
        photons = self._photons * np.float32(exposure_fraction)
        if line_integrals is not None:
            photons *= self._blurred(np.exp(-line_integrals))
        gain, read_noise = np.float32(self._beam.counts_per_photon.value), np.float32(self._beam.read_noise.value)
        # One normal value carries photon and read noise together where photons are many.
        signal = normal * np.sqrt(gain * gain * photons + read_noise * read_noise) + gain * photons
        if float(photons.min()) < FEW_PHOTONS:
            few = photons < FEW_PHOTONS
            signal[few] = gain * noise.poisson(photons[few]) + read_noise * normal[few]
        return self._digitised(signal)

    def _digitised(self, signal: NDArray[np.float32]) -> NDArray[np.uint16]:
        signal += np.float32(self._beam.dark_offset.value + 0.5)
        np.clip(signal, 0, 65535, out=signal)
        return signal.astype(np.uint16)

    def _blurred(self, transmission: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._sigma_px <= 0:
            return transmission
        radius = max(1, math.ceil(3 * self._sigma_px))
        across = gaussian_filter1d(transmission, self._sigma_px, axis=1, mode="nearest", radius=radius)
        return np.asarray(gaussian_filter1d(across, self._sigma_px, axis=0, mode="nearest", radius=radius))

    def _structure(self) -> NDArray[np.float64]:
        """Relative brightness of the empty beam: a smooth hill, streaks along the columns, fine grain; mean 1."""
        rows, columns = self._shape
        rng = np.random.default_rng((self._seed, FLAT_STREAM))
        strength = self._beam.flat_structure.value
        y, x = np.linspace(-1, 1, rows)[:, None], np.linspace(-1, 1, columns)[None, :]
        smooth = -strength * ((x - rng.uniform(-0.3, 0.3)) ** 2 + 0.5 * (y - rng.uniform(-0.3, 0.3)) ** 2)
        streaks = np.zeros(columns)
        for _ in range(NUM_STREAKS):
            width = rng.uniform(0.002, 0.02)
            streaks += rng.uniform(-1, 1) * strength * STREAK_STRENGTH * np.exp(-((x[0] - rng.uniform(-1, 1)) ** 2) / width**2)
        grain = gaussian_filter(rng.standard_normal(self._shape), 1.0)
        structure = 1 + smooth + streaks + FINE_STRENGTH * strength * grain / max(float(grain.std()), 1e-9)
        return np.asarray(np.maximum(structure, 0.05) / np.mean(structure))
