"""Counts of some rows to attenuation integrals, with every loss counted."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_analysis.corrections.counts_correction import CorrectionSettings, CountsCorrection
from live_analysis.final_volume.beam import BeamOfSlab
from live_analysis.final_volume.raw_scan import RawScan
from live_analysis.final_volume.slab_variances import SlabVariances, VarianceSums
from live_analysis.reconstruction.integral_variance import Counting

MOST_UNUSABLE = 0.25  # of a projection's pixels in a slab: with more it is left out, and its neighbours stand for it
FRAMES_AT_ONCE = 32


@dataclass(frozen=True)
class Losses:
    """What was repaired or left out.

    Numbers of values that had to be made from their neighbours, of zingers, and of projections that were left out
    because too many of their pixels could not be used.
    """

    num_repaired: int = 0
    num_zingers: int = 0
    num_left_out: int = 0


@dataclass(frozen=True)
class SlabCounts:
    """Counts as recorded, shape (frame, row, column): ``rows`` with margins, and projections from ``first_frame`` on.

    ``read_rows`` are the detector rows of the counts.
    """

    rows: slice
    read_rows: slice
    first_frame: int
    counts: NDArray[Any]


@dataclass(frozen=True)
class SlabIntegrals:
    """Attenuation integrals of the projections that count, without NaN, shape (frame, row, column), float32.

    ``variances`` are None where nobody asked for them, or no projection counts.
    """

    values: NDArray[np.float32]
    angles_deg: NDArray[np.float64]
    losses: Losses
    variances: SlabVariances | None = None


def rows_to_read(rows: slice, seen_rows: tuple[int, int], margin: int) -> slice:
    """Return rows with their margins, as far as the beam comes through these."""
    return slice(max(rows.start - margin, seen_rows[0]), min(rows.stop + margin, seen_rows[1]))


def read_counts(scan: RawScan, rows: slice, read_rows: slice, frames: slice | None = None) -> SlabCounts:
    """Read some rows of all projections or of some."""
    begin, stop = (0, scan.projections.shape[0]) if frames is None else (frames.start, frames.stop)
    return SlabCounts(rows, read_rows, begin, scan.projections.rows(begin, stop, read_rows.start, read_rows.stop))


def slab_integrals(
    slab: SlabCounts,
    angles_deg: NDArray[np.float64],
    beam: BeamOfSlab,
    settings: CorrectionSettings,
    counting: Counting | None = None,
) -> SlabIntegrals:
    """Turn counts into attenuation integrals.

    Parameters
    ----------
    angles_deg
        Of all projections.
    beam
        Of the rows that were read.
    counting
        The camera's noise, if variances are asked for.
    """
    num_frames, num_read, num_columns = slab.counts.shape
    started = _begun_at(settings, slab.read_rows.start)
    correction = CountsCorrection(beam.dark, beam.broken, started, max_counts=beam.max_counts)
    inner = slice(slab.rows.start - slab.read_rows.start, slab.rows.stop - slab.read_rows.start)
    # Lean and phase may ask for rows that are not there; what there is then is all.
    needed = correction.rows_needed(inner)
    assert (needed.start, needed.stop) == (0, num_read)
    values = np.empty((num_frames, inner.stop - inner.start, num_columns), np.float32)
    kept = np.ones(num_frames, bool)
    num_repaired = num_zingers = num = 0
    variances = None if counting is None else VarianceSums(counting, beam, inner, num_frames)
    good, dark = ~beam.broken.mask[inner], beam.dark[inner]
    for begin in range(0, num_frames, FRAMES_AT_ONCE):
        stop = min(begin + FRAMES_AT_ONCE, num_frames)
        counts = slab.counts[begin:stop]
        usable = (counts[:, inner] > dark) & (counts[:, inner] < beam.max_counts)
        unusable = (~usable & good).mean(axis=(1, 2)) / max(float(good.mean()), 1e-9)
        kept[begin:stop] = unusable <= MOST_UNUSABLE
        chosen = np.flatnonzero(kept[begin:stop])
        if not chosen.size:
            continue
        frames = slab.first_frame + begin + chosen
        light = beam.light.beam(beam.scan_fractions[frames], beam.shares[frames])
        brightness = None if beam.brightness is None else beam.brightness[frames]
        batch = counts if len(chosen) == len(counts) else counts[chosen]
        found = correction.integrals(batch, light, inner, indices=frames, brightness=brightness)
        values[num : num + len(chosen)] = found.values
        num_repaired, num_zingers = num_repaired + found.num_dead, num_zingers + found.num_zingers
        num += len(chosen)
        if variances is not None:
            variances.add(batch[:, inner], light[:, inner], frames)
    losses = Losses(num_repaired, num_zingers, num_frames - num)
    angles_deg = angles_deg[slab.first_frame : slab.first_frame + num_frames][kept]
    told = variances.result() if variances is not None and num else None
    return SlabIntegrals(values[:num], angles_deg, losses, told)


def _begun_at(settings: CorrectionSettings, first_row: int) -> CorrectionSettings:
    """Count rows from another one."""
    lean = settings.lean
    return settings if lean is None else replace(settings, lean=replace(lean, row=lean.row - first_row))
