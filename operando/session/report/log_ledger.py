"""How well the cell was watched: samples, their quality, gaps between them, clocks."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from operando.model.clock_words import clock_sentence
from operando.model.number_text import duration_text
from operando.session.report.cell_traces import CellTraces
from operando.session.report.time_plot import moment

INSTRUMENTS = {"potentiostat": "potentiostat", "load_cell": "load cell", "temperature": "thermometer"}
MAX_GAPS_TOLD = 20


@dataclass(frozen=True)
class InstrumentRow:
    """Samples of one instrument in the guard's log."""

    instrument: str
    num: int
    period: str
    not_good: str
    gaps: tuple[str, ...]


def instrument_rows(traces: CellTraces) -> list[InstrumentRow]:
    """Return how each instrument was sampled."""
    rows = []
    for table, samples in traces.samples.items():
        periods = Counter(np.round(samples.period_s, 3).tolist()).most_common(3)
        bad = {word: num for word, num in samples.num_by_quality.items() if word != "OK"}
        gaps = [
            f"{moment(gap.begin_s)}, {duration_text(gap.end_s - gap.begin_s)}" for gap in samples.gaps[:MAX_GAPS_TOLD]
        ]
        if len(samples.gaps) > MAX_GAPS_TOLD:
            gaps.append(f"and {len(samples.gaps) - MAX_GAPS_TOLD} more")
        rows.append(
            InstrumentRow(
                INSTRUMENTS.get(table, table),
                samples.time_s.size,
                ", ".join(f"{period:g} s ({num})" for period, num in periods) or "–",
                ", ".join(f"{num} {word}" for word, num in bad.items()) or "none",
                tuple(gaps),
            )
        )
    return rows


def clock_sentences(traces: CellTraces, *, rehearsal: bool | None) -> list[str]:
    """Say how long the run lasted on each clock and how far the potentiostat's own ran from the run's."""
    told = []
    potentiostat = traces.samples.get("potentiostat")
    if potentiostat is None or potentiostat.time_s.size < 2:
        return ["Nothing was logged that could tell about clocks."]
    lasted_s = float(potentiostat.time_s[-1] - potentiostat.time_s[0])
    wall_s = float(potentiostat.wall_s[-1] - potentiostat.wall_s[0])
    if rehearsal:
        told.append(
            f"The rehearsal's clock went through {duration_text(lasted_s)} while {duration_text(max(wall_s, 0.0))} "
            "passed for the computer."
        )
    else:
        told.append(
            f"The log spans {duration_text(lasted_s)}; the computer's clock was at most "
            f"{float(np.max(np.abs(potentiostat.wall_s - potentiostat.time_s))):.3f} s beside the run's."
        )
    backwards = int(np.count_nonzero(np.diff(potentiostat.time_s) < 0))
    if backwards:
        told.append(f"The run's clock was set back {backwards} times.")
    elapsed = potentiostat.values["elapsed_s"]
    good = np.isfinite(elapsed) & potentiostat.good
    if np.count_nonzero(good) > 1:
        apart = elapsed[good] - potentiostat.time_s[good]
        drift_s = round(float(apart[-1] - apart[0]), 1) + 0.0  # never -0.0
        told.append(f"From first to last good sample the potentiostat's own time gained {drift_s:+.1f} s on the run's.")
    if traces.clock_fits:
        told.append(clock_sentence("The potentiostat's clock", traces.clock_fits[-1]))
        num_jumps = len({fit.begin_s for fit in traces.clock_fits}) - 1
        if num_jumps:
            told.append(f"It was fitted anew {num_jumps} times: it jumped, or the guard was restarted.")
    return told
