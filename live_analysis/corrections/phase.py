"""Phase retrieval of a single material: fringes of free propagation become attenuation, before the logarithm.

Grey values are then bound to the assumed ratio of refraction to absorption: right in that material, wrong in others.

References
----------
Paganin et al., J. Microsc. 206 (2002) 33, eq. 10.
"""

import math

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from operando.model.phase_retrieval import PhaseRetrieval

NUM_THREADS = 2
REACHES = 8.0  # of the filter's length: beyond it the kernel's weight is below 1e-3
UM_PER_MM = 1e3
BATCH_BYTES = 64 * 2**20


class PhaseError(ValueError):
    """Phase retrieval is asked for with numbers, or on frames, that it cannot work with."""


class PhaseFilter:
    """Retrieves transmission as it would be in contact with the object.

    Parameters
    ----------
    length_um
        Root of distance x delta / mu: how far a point is spread, see `filter_length_um`.
    pixel_size_um
        Pixel size in the sample; the beam is parallel.

    Raises
    ------
    PhaseError
        If a number is not positive.
    """

    def __init__(self, length_um: float, pixel_size_um: float) -> None:
        if not (0 < length_um < math.inf and 0 < pixel_size_um < math.inf):
            raise PhaseError(
                f"a phase filter of {length_um:g} um at {pixel_size_um:g} um pixels cannot be: give positive numbers."
            )
        self._length_pixels = length_um / pixel_size_um

    @property
    def margin(self) -> int:
        """Rows that must be known beside those that are wanted, so that a slab is filtered as the whole frame."""
        return math.ceil(REACHES * self._length_pixels)

    def contact_transmission(self, transmission: NDArray[np.float32]) -> NDArray[np.float32]:
        """Filter frames of shape (frame, row, column), without NaN, unitless; beyond their edges they are mirrored.

        Raises
        ------
        PhaseError
            If a frame holds NaN or infinity, which the filter would spread over the whole frame.
        """
        num_frames, num_rows, num_columns = transmission.shape
        lengths = [scipy.fft.next_fast_len(num + 2 * self.margin, real=True) for num in (num_rows, num_columns)]
        pads = [((length - num) // 2, length - num - (length - num) // 2)
                for length, num in zip(lengths, (num_rows, num_columns), strict=True)]  # fmt: skip
        k_row = 2 * np.pi * scipy.fft.fftfreq(lengths[0])
        k_column = 2 * np.pi * scipy.fft.rfftfreq(lengths[1])
        squared = (k_row**2)[:, None] + (k_column**2)[None, :]
        response = (1 / (1 + self._length_pixels**2 * squared)).astype(np.float32)
        result = np.empty_like(transmission)
        batch = max(1, BATCH_BYTES // (4 * lengths[0] * lengths[1]))
        for first in range(0, num_frames, batch):
            frames = transmission[first : first + batch]
            if not np.isfinite(frames).all():
                raise PhaseError(
                    f"frames {first} to {first + len(frames) - 1} hold NaN or infinite transmission, which phase "
                    "retrieval would spread over whole frames: repair the pixels first."
                )
            padded = np.pad(frames, ((0, 0), *pads), mode="symmetric")
            spectrum = scipy.fft.rfft2(padded, workers=NUM_THREADS)
            spectrum *= response
            back = scipy.fft.irfft2(spectrum, lengths, workers=NUM_THREADS, overwrite_x=True)
            result[first : first + batch] = back[
                :, pads[0][0] : pads[0][0] + num_rows, pads[1][0] : pads[1][0] + num_columns
            ]
        return result


def filter_length_um(settings: PhaseRetrieval, energy_kev: float) -> float:
    """Return the root of distance x delta / mu in um; mu = 4 pi beta / wavelength.

    Raises
    ------
    PhaseError
        If the energy is not positive.
    """
    if not 0 < energy_kev < math.inf:
        raise PhaseError(f"phase retrieval at {energy_kev:g} keV cannot be: give the photon energy.")
    delta_over_mu_um = settings.delta_over_mu_um(energy_kev)
    return math.sqrt(settings.distance * UM_PER_MM * delta_over_mu_um)
