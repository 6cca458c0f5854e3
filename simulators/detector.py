"""The camera behind the scintillator: structured beam, blur, photon noise, counts."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import ive

from operando.model.geometry import ImagingGeometry
from simulators.cell_parameters import Beam

_FWHM_OVER_SIGMA = 2 * math.sqrt(2 * math.log(2))
_FEW_PHOTONS = 20.0  # below this a normal distribution is no Poisson distribution
_FLAT_STREAM, _NOISE_STREAM = 0, 1


class Detector:
    """Counts of one camera, the same for the same seed and frame number.

    Parameters
    ----------
    geometry
        Pixels.
    beam
        The cell file's beam.
    photons_per_pixel
        Mean number of absorbed photons in a pixel of one open-beam frame.
    seed
        Seed of the beam's structure and of all noise.
    """

    def __init__(self, geometry: ImagingGeometry, beam: Beam, photons_per_pixel: float, seed: int) -> None:
        self.geometry = geometry
        self._seed = seed
        self._counts_per_photon = beam.counts_per_photon.value
        self._dark_offset = beam.dark_offset.value
        self._read_noise = beam.read_noise.value
        structure = _flat_structure(geometry.frame_shape, beam.flat_structure.value, seed)
        self._flat_photons = (photons_per_pixel * structure).astype(np.float32)
        self._kernel = _blur_kernel(beam.blur_fwhm.value / geometry.pixel_size_um)
        self._open = np.zeros(geometry.frame_shape, np.float32)

    def counts(
        self,
        line_integrals: NDArray[np.float32] | None,
        *,
        shutter_open: bool,
        frame_number: int,
        beam_intensity: float = 1.0,
    ) -> NDArray[np.uint16]:
        """Return one frame.

        Parameters
        ----------
        line_integrals
            What stands in the beam, shape (rows, columns), unitless; None for nothing.
        shutter_open
            Without beam only offset and read noise are left.
        frame_number
            Key of the noise.
        beam_intensity
            Photons of this frame relative to ``photons_per_pixel``.

        Returns
        -------
        NDArray[np.uint16]
            Shape (rows, columns).
        """
        generator = np.random.Generator(np.random.SFC64((self._seed, _NOISE_STREAM, frame_number)))
        shape = self.geometry.frame_shape
        read_noise = generator.standard_normal(shape, dtype=np.float32)
        if shutter_open:
            transmitted = _blurred_transmission(self._open if line_integrals is None else line_integrals, self._kernel)
            photon_noise = generator.standard_normal(shape, dtype=np.float32)
        else:
            transmitted, photon_noise, beam_intensity = self._open, read_noise, 0.0
        counts: NDArray[np.uint16] = _detected(
            transmitted,
            self._flat_photons,
            np.float32(beam_intensity),
            photon_noise,
            read_noise,
            np.float32(self._counts_per_photon),
            np.float32(self._dark_offset),
            np.float32(self._read_noise),
        )
        return counts


def _flat_structure(shape: tuple[int, int], rms: float, seed: int) -> NDArray[np.float64]:
    """Return the open beam relative to its mean: monochromator stripes, a broad profile, unequal pixels."""
    generator = np.random.default_rng((seed, _FLAT_STREAM))
    height, width = shape
    rows, columns = np.arange(height)[:, None] / height, np.arange(width)[None, :] / width
    structure = np.zeros(shape)
    for waves in (1, 2, 3, 5, 8, 13):
        lean = generator.uniform(-0.5, 0.5)
        structure += np.sin(2 * np.pi * (waves * rows + lean * columns) + generator.uniform(0, 2 * np.pi)) / waves**0.5
    structure -= 2.0 * (columns - 0.5 - generator.uniform(-0.1, 0.1)) ** 2
    structure += 0.1 * generator.standard_normal(shape)
    structure -= structure.mean()
    return np.asarray(np.maximum(1 + rms * structure / structure.std(), 0.1))


def _blur_kernel(fwhm_pixels: float) -> NDArray[np.float32]:
    """Return the discrete Gaussian, which has the exact width even below a pixel (Lindeberg, PAMI 12 (1990) 234)."""
    variance = (fwhm_pixels / _FWHM_OVER_SIGMA) ** 2
    reach = max(1, math.ceil(4 * math.sqrt(variance)))
    kernel = ive(np.abs(np.arange(-reach, reach + 1)), variance)
    return np.asarray(kernel / kernel.sum(), np.float32)


@njit(cache=True, nogil=True, fastmath=True)
def _blurred_transmission(line_integrals, kernel):  # type: ignore[no-untyped-def]
    num_rows, num_columns = line_integrals.shape
    reach = kernel.size // 2
    across = np.empty((num_rows, num_columns), np.float32)
    padded = np.empty(num_columns + 2 * reach, np.float32)
    for row in range(num_rows):
        for column in range(num_columns):
            padded[reach + column] = np.exp(-line_integrals[row, column])
        padded[:reach] = padded[reach]
        padded[reach + num_columns :] = padded[reach + num_columns - 1]
        across[row] = kernel[reach] * padded[reach : reach + num_columns]
        for k in range(1, reach + 1):
            for column in range(num_columns):
                across[row, column] += kernel[reach + k] * (padded[reach + column - k] + padded[reach + column + k])
    blurred = np.empty_like(across)
    for row in range(num_rows):
        for column in range(num_columns):
            blurred[row, column] = kernel[reach] * across[row, column]
        for k in range(1, reach + 1):
            above, below = max(row - k, 0), min(row + k, num_rows - 1)
            for column in range(num_columns):
                blurred[row, column] += kernel[reach + k] * (across[above, column] + across[below, column])
    return blurred


@njit(cache=True, nogil=True)
def _detected(  # type: ignore[no-untyped-def]
    transmission, flat_photons, intensity, photon_noise, read_noise, counts_per_photon, dark_offset, read_noise_counts
):
    counts = np.empty(transmission.shape, np.uint16)
    for row in range(counts.shape[0]):
        for column in range(counts.shape[1]):
            mean = transmission[row, column] * flat_photons[row, column] * intensity
            if mean > _FEW_PHOTONS:
                photons = mean + np.sqrt(mean) * photon_noise[row, column]
            elif mean > 0:
                photons = _poisson_quantile(mean, photon_noise[row, column])
            else:
                photons = np.float32(0.0)
            value = dark_offset + counts_per_photon * photons + read_noise_counts * read_noise[row, column]
            counts[row, column] = np.uint16(min(max(value + np.float32(0.5), np.float32(0.0)), np.float32(65535.0)))
    return counts


@njit(cache=True, nogil=True)
def _poisson_quantile(mean, normal):  # type: ignore[no-untyped-def]
    """Return the Poisson value at the same quantile as a standard normal one."""
    wanted = 0.5 * math.erfc(-normal / math.sqrt(2.0))
    term = math.exp(-mean)
    reached = term
    count = 0
    while reached < wanted and count < 200:
        count += 1
        term *= mean / count
        reached += term
    return np.float32(count)
