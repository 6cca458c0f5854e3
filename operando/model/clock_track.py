"""When samples were made, by the host's clock, from the fits of their instrument's clock."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from operando.model.cell_log import CellLogReader
from operando.model.clock_fit import JUMP_S, ClockFit

LONGEST_DELAY_S = 2.0  # twice the slowest usual poll: from making to reading of a sample read before the first fit
VALUES_AT_ONCE = 10_000


def placed_rows(log: CellLogReader, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of the potentiostat with ``made_s``: when each was made, s of the run's clock."""
    if not rows:
        return []
    elapsed_s = [np.nan if row["elapsed_s"] is None else row["elapsed_s"] for row in rows]
    made_s = logged_made_s(log, elapsed_s, [row["time_s"] for row in rows])
    return [{**row, "made_s": float(time_s)} for row, time_s in zip(rows, made_s, strict=True)]


def logged_made_s(log: CellLogReader, instrument_s: ArrayLike, read_s: ArrayLike) -> NDArray[np.float64]:
    """Return when values of the potentiostat were made, as `ClockTrack.made_s`, by the fits of its clock in a log.

    Only those that are needed are read, for some values at a time: a run of weeks has tens of thousands of fits.
    """
    instrument, read = (np.atleast_1d(np.asarray(times_s, np.float64)) for times_s in (instrument_s, read_s))
    made = [np.empty(0)]
    for begin in range(0, read.size, VALUES_AT_ONCE):
        part = slice(begin, begin + VALUES_AT_ONCE)
        known = instrument[part][np.isfinite(instrument[part])]
        fits = (
            log.clock_fits_about(
                "potentiostat",
                read_s=(float(read[part].min()), float(read[part].max())),
                instrument_s=(float(known.min()), float(known.max())),
            )
            if known.size
            else []
        )
        made.append(ClockTrack(fits).made_s(instrument[part], read[part]))
    return np.concatenate(made)


class ClockTrack:
    """All fits of one instrument's clock over a run; between jumps the fit whose middle is nearest counts.

    What was read before the first fit began belongs to it as well, unless that would place it after its reading or long
    before: then the clock jumped in between.

    Parameters
    ----------
    fits
        In any order, as the guard's log holds them.
    """

    def __init__(self, fits: Sequence[ClockFit]) -> None:
        ordered = sorted(fits, key=lambda fit: (fit.begin_s, fit.instrument_s))
        self._parts = {begin_s: list(part) for begin_s, part in groupby(ordered, key=lambda fit: fit.begin_s)}
        self._begins_s = np.array(list(self._parts))

    def made_s(self, instrument_s: ArrayLike, read_s: ArrayLike) -> NDArray[np.float64]:
        """Return when values were made, s of the host's clock.

        Parameters
        ----------
        instrument_s
            The instrument's own time of each value, shape (num,); NaN where it was not read.
        read_s
            The host's time when each was read, same shape; it tells between which jumps of the clock a value lies.

        Returns
        -------
        NDArray[np.float64]
            Shape (num,); ``read_s`` where nothing is known of the instrument's clock.
        """
        instrument, read = (np.atleast_1d(np.asarray(times_s, np.float64)) for times_s in (instrument_s, read_s))
        made = read.copy()
        part_of = np.searchsorted(self._begins_s, read, side="right") - 1
        is_early = part_of < 0
        part_of = np.maximum(part_of, 0)
        for number, fits in enumerate(self._parts.values()):
            here = (part_of == number) & np.isfinite(instrument)
            middles_s = np.array([fit.instrument_s for fit in fits])
            nearest = np.searchsorted((middles_s[1:] + middles_s[:-1]) / 2, instrument[here])
            host_s, drift = (np.array([getattr(fit, name) for fit in fits]) for name in ("host_s", "drift"))
            made[here] = host_s[nearest] + (instrument[here] - middles_s[nearest]) / (1 + drift[nearest])
        delay_s = read - made
        is_other_clock = is_early & ~((delay_s >= -JUMP_S) & (delay_s <= LONGEST_DELAY_S))
        made[is_other_clock] = read[is_other_clock]
        return made
