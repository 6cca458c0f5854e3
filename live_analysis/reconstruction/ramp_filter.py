"""Ramp filter for projections, made for the interpolation that follows it.

The ramp is sampled in space (Kak and Slaney, Principles of Computerized Tomographic Imaging, 1988, eq. 3.61): that
keeps the mean, the ramp sampled in frequency does not. What interpolation will take away from high frequencies is
given in advance, and columns become the coefficients of a cubic spline through them (Unser, IEEE Signal Process.
Mag. 16 (1999) 22).
"""

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.angle_weights import ProjectionError
from live_analysis.reconstruction.compiled import compiled, compiled_serial
from live_analysis.reconstruction.lane_fourier import backward, fast_length, forward, frequencies, unit_circle
from live_analysis.reconstruction.lanes import NUM_LANES

UM_PER_CM = 1e4
SKEW_ROWS = 5  # keep real and imaginary part from falling into the same places of the cache: halves the time
MARGIN_COLUMNS = 4  # kept beyond both edges of the detector: interpolation there needs neighbours


def ramp_response(cycles_per_column: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Return the Fourier transform of the ramp sampled in space for columns one pixel apart, repeated over ``length``.

    Parameters
    ----------
    cycles_per_column
        Frequencies, 0 to 0.5, multiples of 1 / length.
    """
    n = np.minimum(np.arange(length), length - np.arange(length))
    kernel = np.zeros(length)
    kernel[0] = 0.25
    kernel[n % 2 == 1] = -1.0 / (np.pi * n[n % 2 == 1]) ** 2
    response = np.fft.rfft(kernel).real
    return np.asarray(response[np.rint(cycles_per_column * length).astype(int)], np.float64)


def spline_response(cycles_per_column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what sampling a cubic B-spline does to a frequency; its inverse makes coefficients from samples."""
    return np.asarray((4 + 2 * np.cos(2 * np.pi * cycles_per_column)) / 6, np.float64)


class RampFilter:
    """Filters rows of projections, sixteen at a time.

    Parameters
    ----------
    num_rows, num_columns
        Shape of a projection.
    pixel_size_um
        Pixel size in the sample.
    taper_columns
        Columns by which both edges are first continued, falling to zero as a cosine. 0: the projections end in air.
    linear_steps
        How often what comes out is interpolated linearly on a grid of half a column; the loss is made up for.
    num_threads
        Threads that work at once.

    Raises
    ------
    ProjectionError
        If a size is none.
    """

    def __init__(
        self,
        num_rows: int,
        num_columns: int,
        pixel_size_um: float,
        *,
        taper_columns: int = 0,
        linear_steps: float = 0.0,
        num_threads: int = 2,
    ) -> None:
        if num_rows < 1 or num_threads < 1 or taper_columns < 0 or not 0 < pixel_size_um < np.inf:
            raise ProjectionError(
                f"{num_rows} rows with pixels of {pixel_size_um:g} um, a taper of {taper_columns} columns and "
                f"{num_threads} threads were asked for: there is at least one row and one thread, a pixel has a size, "
                "and a taper is not below nothing."
            )
        self.num_rows, self.num_columns = num_rows, num_columns
        self.num_chunks = -(-num_rows // NUM_LANES)
        # Only the columns of the detector are kept: what wraps around may reach into the tapers.
        length = fast_length(max(2 * num_columns + taper_columns, num_columns + 2 * taper_columns + MARGIN_COLUMNS))
        order = frequencies(length)
        cycles = np.minimum(order, length - order) / length
        response = ramp_response(cycles, length) / spline_response(cycles) / np.sinc(cycles / 2) ** (2 * linear_steps)
        self._response = (response * (UM_PER_CM / pixel_size_um / length)).astype(np.float32)
        self._cosines, self._sines = unit_circle(length)
        self._taper = (0.5 + 0.5 * np.cos(np.pi * (np.arange(taper_columns) + 0.5) / max(taper_columns, 1))).astype(
            np.float32
        )
        self._work = np.zeros((num_threads, 2, length + SKEW_ROWS, NUM_LANES), np.float32)

    @property
    def num_bytes(self) -> int:
        """Bytes of the filter's own work space."""
        return self._work.nbytes

    def new_buffer(self, num_frames: int, used: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Return room for filtered frames: shape (chunk of 16 rows, frame, column with margins, row in chunk).

        It is that of ``used``, to be written over, if this has the shape.
        """
        shape = self.num_chunks, num_frames, self.num_columns + 2 * MARGIN_COLUMNS, NUM_LANES
        return used if used is not None and used.shape == shape else np.zeros(shape, np.float32)

    def filter(self, integrals: NDArray[np.float32], out: NDArray[np.float32], first: int) -> None:
        """Filter frames of shape (frame, row, column) into ``out`` from frame ``first`` on.

        What comes out are spline coefficients of the filtered projection, in 1/cm per radian.
        """
        _filter(integrals, self._taper, self._response, self._cosines, self._sines, self._work, out, first)


@compiled
def _filter(
    integrals: NDArray[np.float32],
    taper: NDArray[np.float32],
    response: NDArray[np.float32],
    cosines: NDArray[np.float32],
    sines: NDArray[np.float32],
    work: NDArray[np.float32],
    out: NDArray[np.float32],
    first: int,
) -> None:
    num_frames = len(integrals)
    num_pairs, num_threads = (num_frames + 1) // 2, len(work)
    for thread in prange(num_threads):
        re, im = work[thread, 0, : len(response)], work[thread, 1, : len(response)]
        for task in range(thread, num_pairs * len(out), num_threads):
            chunk, frame = task // num_pairs, 2 * (task % num_pairs)
            _fill(re, integrals[frame], chunk * NUM_LANES, taper)
            if frame + 1 < num_frames:
                _fill(im, integrals[frame + 1], chunk * NUM_LANES, taper)
            else:
                im[:] = 0
            forward(re, im, cosines, sines)
            for i in range(len(response)):
                for lane in range(NUM_LANES):
                    re[i, lane] *= response[i]
                    im[i, lane] *= response[i]
            backward(re, im, cosines, sines)
            _take(re, out[chunk, first + frame])
            if frame + 1 < num_frames:
                _take(im, out[chunk, first + frame + 1])


@compiled_serial
def _fill(part: NDArray[np.float32], frame: NDArray[np.float32], first_row: int, taper: NDArray[np.float32]) -> None:
    """Put sixteen rows, continued at both edges, into columns of ``part``; column 0 of the frame into row 0."""
    num_rows, num_columns = frame.shape
    num = min(NUM_LANES, num_rows - first_row)
    for begin in range(0, num_columns, NUM_LANES):
        for lane in range(num):
            for column in range(begin, min(begin + NUM_LANES, num_columns)):
                part[column, lane] = frame[first_row + lane, column]
    part[num_columns:] = 0
    part[:num_columns, num:] = 0
    for i in range(len(taper)):
        for lane in range(num):
            part[num_columns + i, lane] = taper[i] * frame[first_row + lane, num_columns - 1]
            part[-1 - i, lane] = taper[i] * frame[first_row + lane, 0]


@compiled_serial
def _take(part: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    for column in range(len(out)):
        source = column - MARGIN_COLUMNS
        for lane in range(NUM_LANES):
            out[column, lane] = part[source, lane]
