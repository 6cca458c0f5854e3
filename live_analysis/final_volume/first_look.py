"""A look at a scan before it is reconstructed: where the beam comes through, and the integrals of a few rows."""

import numpy as np

from live_analysis.corrections.counts_correction import CorrectionSettings
from live_analysis.final_volume.beam import OPAQUE, Beam
from live_analysis.final_volume.raw_scan import RawScan, VolumeError
from live_analysis.final_volume.slab_integrals import SlabIntegrals, read_counts, rows_to_read, slab_integrals

WIDEST_DEAD_ROWS = 2
LOOK_ROWS = 24
BYTES_TO_LOOK_AT = 400_000_000


def seen_rows(scan: RawScan, beam: Beam) -> slice:
    """Return the longest range of rows through which the beam comes in all of five projections but one.

    Single rows without light in between are bridged: they are dead pixels, to be repaired.

    Raises
    ------
    VolumeError
        If there is none.
    """
    num, num_rows, _ = scan.projections.shape
    votes, num_tried = np.zeros(num_rows, int), 0
    everywhere = beam.of_rows(slice(0, num_rows))
    for index in dict.fromkeys((0, num // 4, num // 2, 3 * num // 4, num - 1)):
        frame = slice(index, index + 1)
        light = everywhere.light.beam(beam.scan_fractions[frame], beam.shares[frame])[0]
        counts = scan.projections.rows(index, index + 1, 0, num_rows)[0] - beam.dark
        seen = np.divide(counts, light, out=np.zeros_like(light), where=(light > 0) & ~beam.broken.mask)
        lit = np.median(np.nan_to_num(seen, posinf=0, neginf=0), axis=1) > OPAQUE
        if lit.any():  # a frame without light is damaged, and is left out later
            votes += lit
            num_tried += 1
    is_open = votes >= max(num_tried - 1, 1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_open, [False]]).astype(int)))
    ranges: list[tuple[int, int]] = []
    for first, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if ranges and first - ranges[-1][1] <= WIDEST_DEAD_ROWS:
            ranges[-1] = (ranges[-1][0], stop)
        else:
            ranges.append((first, stop))
    if not ranges:
        raise VolumeError(
            f"{scan.source}: the beam comes through no row of the projections. Was the shutter closed, or are darks, "
            "flats and projections mixed up?"
        )
    return slice(*max(ranges, key=lambda pair: pair[1] - pair[0]))


def look(scan: RawScan, beam: Beam, seen: slice, rows: tuple[int, int], settings: CorrectionSettings) -> SlabIntegrals:
    """Return the integrals of some rows in the middle of what is wanted and seen."""
    first, stop = max(seen.start, rows[0]), min(seen.stop, rows[1])
    if first >= stop:
        raise VolumeError(
            f"{scan.source}: through rows {rows[0]}:{rows[1]} no beam comes; it comes through "
            f"{seen.start}:{seen.stop}. Ask for some of these."
        )
    num_frames, _, num_columns = scan.projections.shape
    num = max(min(LOOK_ROWS, BYTES_TO_LOOK_AT // (4 * num_frames * num_columns)), 1)
    middle = (first + stop) // 2
    wanted = slice(max(first, middle - num // 2), min(stop, max(first, middle - num // 2) + num))
    return integrals_of(scan, beam, wanted, seen, settings)


def integrals_of(
    scan: RawScan,
    beam: Beam,
    rows: slice,
    seen: slice,
    settings: CorrectionSettings,
    frames: slice | None = None,
) -> SlabIntegrals:
    """Return the integrals of some rows of all projections or of some, which may be left out as damaged.

    Raises
    ------
    VolumeError
        If next to none of the projections can be used.
    """
    read_rows = rows_to_read(rows, (seen.start, seen.stop), settings.margin(scan.frame_shape[1]))
    counts = read_counts(scan, rows, read_rows, frames)
    found = slab_integrals(counts, scan.angles_deg, beam.of_rows(read_rows), settings)
    if frames is None and len(found.angles_deg) < 2:
        raise VolumeError(
            f"{scan.source}: {found.losses.num_left_out} of {len(scan.angles_deg)} projections have too few usable "
            f"pixels in rows {rows.start}:{rows.stop}, and nothing is left to reconstruct."
        )
    return found
