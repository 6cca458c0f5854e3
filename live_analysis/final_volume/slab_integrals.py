"""Counts of some rows to attenuation integrals, with every loss counted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.final_volume.beam import Beam
from live_analysis.final_volume.raw_scan import RawScan
from live_analysis.normalisation import attenuation_integral, remove_zingers, repair_pixels

MARGIN_ROWS = 2  # read above and below a slab: repairs and zingers look at neighbours
MOST_UNUSABLE = 0.25  # of a projection's pixels in a slab: with more it is left out, and its neighbours stand for it
FRAMES_AT_ONCE = 32


@dataclass(frozen=True)
class Losses:
    """What was repaired or left out.

    Numbers of pixels that were not positive or not finite, of zingers, and of projections that were left out because
    most of their pixels could not be used.
    """

    num_repaired: int = 0
    num_zingers: int = 0
    num_left_out: int = 0


@dataclass(frozen=True)
class SlabCounts:
    """Counts as recorded, shape (frame, row, column), with margins above and below ``rows`` where there are any."""

    rows: slice
    first_row: int
    counts: NDArray[np.generic]


@dataclass(frozen=True)
class SlabIntegrals:
    """Attenuation integrals of the projections that count, without NaN, shape (frame, row, column), float32."""

    values: NDArray[np.float32]
    angles_deg: NDArray[np.float64]
    losses: Losses


def rows_to_read(rows: slice, seen_rows: tuple[int, int]) -> slice:
    """Return rows with their margins, as far as the beam comes through these."""
    return slice(max(rows.start - MARGIN_ROWS, seen_rows[0]), min(rows.stop + MARGIN_ROWS, seen_rows[1]))


def read_counts(scan: RawScan, rows: slice, seen_rows: tuple[int, int]) -> SlabCounts:
    """Read some rows, with margins, of all projections."""
    wanted = rows_to_read(rows, seen_rows)
    return SlabCounts(
        rows, wanted.start, scan.projections.rows(0, scan.projections.shape[0], wanted.start, wanted.stop)
    )


def slab_integrals(slab: SlabCounts, scan: RawScan, beam: Beam, *, zinger_threshold: float | None) -> SlabIntegrals:
    """Turn counts of all projections into attenuation integrals.

    Parameters
    ----------
    zinger_threshold
        Rise above its neighbours, as an attenuation integral, from which a pixel is a zinger; None leaves them.
    """
    num_frames, num_read, num_columns = slab.counts.shape
    beam = beam.rows(slab.first_row, slab.first_row + num_read)
    inner = slice(slab.rows.start - slab.first_row, slab.rows.stop - slab.first_row)
    values = np.empty((num_frames, inner.stop - inner.start, num_columns), np.float32)
    kept = np.ones(num_frames, bool)
    num_repaired = num_zingers = num = 0
    for begin in range(0, num_frames, FRAMES_AT_ONCE):
        stop = min(begin + FRAMES_AT_ONCE, num_frames)
        fractions = None if scan.scan_fractions is None else scan.scan_fractions[begin:stop]
        logged = attenuation_integral(beam.transmission(slab.counts[begin:stop], fractions)).values
        unusable = ~np.isfinite(logged)
        usable = unusable[:, inner].mean(axis=(1, 2)) <= MOST_UNUSABLE
        kept[begin:stop] = usable
        if not usable.all():
            logged, unusable = logged[usable], unusable[usable]
        if not len(logged):
            continue
        if unusable.any():
            logged[unusable] = np.nan
            logged = repair_pixels(logged).values
            num_repaired += int(np.count_nonzero(unusable[:, inner]))
        if zinger_threshold is not None:
            num_zingers += _remove_zingers(logged, zinger_threshold, inner)
        values[num : num + len(logged)] = logged[:, inner]
        num += len(logged)
    losses = Losses(num_repaired, num_zingers, num_frames - num)
    return SlabIntegrals(values[:num], scan.angles_deg[kept], losses)


def _remove_zingers(integrals: NDArray[np.float32], threshold: float, counted: slice) -> int:
    """Replace zingers in place and count those of the rows ``counted``.

    A hit on the sensor is bright: as an attenuation integral it lies below its neighbours.
    """
    bright = np.negative(integrals)
    cleaned = remove_zingers(bright, threshold=threshold).values
    num_zingers = int(np.count_nonzero(cleaned[:, counted] != bright[:, counted]))
    np.negative(cleaned, out=integrals)
    return num_zingers
