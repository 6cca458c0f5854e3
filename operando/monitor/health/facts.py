"""What the page about the programs says, in words and numbers."""

from collections.abc import Sequence
from math import isfinite, nan
from statistics import median

from operando.model.number_text import duration_text
from operando.monitor.health.fact_table import Fact, Tone
from operando.monitor.health.health_reader import HealthView, Usage
from operando.monitor.reading.run_ledger import TomogramLedger
from operando.monitor.reading.run_processes import Life, ProcessView
from operando.monitor.reading.run_view import RunView
from operando.monitor.reading.time_of_day import time_of_day

PROCESS_HEADINGS = ("process", "pid", "state", "since", "for", "memory [MB]", "CPU [%]")
STAGE_HEADINGS = ("stage", "rate", "waiting", "lost", "median", "newest")
LEDGER_HEADINGS = (
    "tomogram",
    "ended",
    "took",
    "exposing",
    "moving",
    "software",
    "lost",
    "first value",
    "all values",
)
CLOCK_HEADINGS = ("clock", "drift [ppm]", "times known to", "offset", "compared")
NUM_TOMOGRAMS = 12
EXPOSING = ("darks", "flats", "projections", "flats_after")
MOVING = ("shutter", "sample_out", "sample_in_and_taxi", "lead_in", "taxi", "sample_in")
IN_SECONDS_S = 1000.0  # delays up to here, so that those below each other can be compared
SOFTWARE_BUDGET_S = 1.0  # of a tomogram, back to back
NOTHING = Fact("–", Tone.DIM)


def process_rows(processes: Sequence[ProcessView], health: HealthView | None, wall_s: float) -> list[list[Fact]]:
    """Return a row for each process."""
    rows = []
    for process in processes:
        life = f"{process.life} {process.host}" if process.life is Life.ELSEWHERE else str(process.life)
        tone = Tone.ALARM if process.is_missing else Tone.PLAIN if process.life is Life.LIVES else Tone.DIM
        usage = Usage() if health is None else health.usage.get(process.role, Usage())
        known = isfinite(process.since_s)
        texts = (
            process.role,
            str(process.pid),
            life,
            _clock_text(process.since_s, wall_s),
            duration_text(max(wall_s - process.since_s, 0.0)) if known else "–",
            _number(usage.memory_bytes / 1e6, 0),
            _number(100 * usage.processor_share, 0),
        )
        rows.append([Fact(text, tone) for text in texts])
    return rows


def stage_rows(view: RunView, health: HealthView | None) -> list[list[Fact]]:
    """Return a row for each stage from sample and frame to measurement."""
    rates = {} if health is None else health.rates_per_s
    ledger = view.ledger
    num_waiting = sum(entry.waits_for_analysis for entry in ledger)
    num_lost = sum(entry.num_lost for entry in ledger)
    quick, measured = ([_after(entry, name) for entry in ledger] for name in ("quick_s", "measured_s"))
    software = [entry.software_s for entry in ledger if entry.phases]
    samples = [
        [Fact(f"guard, {name.replace('_', ' ')}"), Fact(_rate_text(rates.get(name, nan), "samples")), *[NOTHING] * 4]
        for name in ("potentiostat", "load_cell", "temperature")
    ]
    lost = Fact(str(num_lost), Tone.ALARM if num_lost else Tone.PLAIN)
    return [
        *samples,
        [
            Fact("camera to file"),
            Fact(_rate_text(rates.get("frame", nan), "projections")),
            NOTHING,
            lost,
            NOTHING,
            NOTHING,
        ],
        [Fact("tomogram, software alone"), NOTHING, NOTHING, NOTHING, *_delays(software)],
        [Fact("analysis, first value"), NOTHING, NOTHING, NOTHING, *_delays(quick)],
        [
            Fact("analysis, all values"),
            NOTHING,
            Fact(str(num_waiting), hint="tomograms that are over and not measured yet"),
            NOTHING,
            *_delays(measured),
        ],
    ]


def ledger_rows(ledger: Sequence[TomogramLedger]) -> list[list[Fact]]:
    """Return a row for each of the last attempts, newest first: where its seconds went, and what came of it when."""
    return [_ledger_row(entry) for entry in reversed(ledger[-NUM_TOMOGRAMS:])]


def clock_rows(view: RunView, health: HealthView | None) -> list[list[Fact]]:
    """Return a row for each instrument's clock that was compared with the host's."""
    rows = []
    clock = None if health is None else health.clock
    if clock is not None:
        since = f"{duration_text(max(clock.time_s - view.start_s, 0.0))} after the start" if view.start_s > 0 else "–"
        rows.append(
            [
                Fact("potentiostat"),
                Fact(f"{clock.drift_ppm:+.1f} ± {clock.drift_uncertainty_ppm:.1f}"),
                Fact(f"{1e3 * clock.offset_uncertainty_s:.1f} ms"),
                Fact("taken away"),
                Fact(f"{clock.num_points} readings, last {since}"),
            ]
        )
    camera = next((entry for entry in reversed(view.ledger) if isfinite(entry.camera_behind_s)), None)
    if camera is not None:
        rows.append(
            [
                Fact("camera"),
                Fact(_number(camera.camera_drift_ppm, 1)),
                Fact(f"{_number(1e3 * camera.camera_uncertainty_s, 1)} ms"),
                Fact(f"{1e3 * camera.camera_behind_s:.1f} ms behind"),
                Fact(f"tomogram {camera.name}"),
            ]
        )
    return rows


def _ledger_row(entry: TomogramLedger) -> list[Fact]:
    if not entry.phases:
        state = "is being taken" if not isfinite(entry.ended_s) else "no account was written"
        return [Fact(entry.name), Fact(state, Tone.DIM), *[NOTHING] * (len(LEDGER_HEADINGS) - 2)]
    exposing, moving = (
        sum(phase.clock_s for phase in entry.phases if phase.name in names) for names in (EXPOSING, MOVING)
    )
    lost = entry.num_lost
    return [
        Fact(entry.name),
        Fact(entry.outcome, Tone.PLAIN if entry.outcome == "complete" else Tone.ALARM),
        Fact(duration_text(entry.clock_s), hint=_phases_text(entry)),
        *(Fact(f"{seconds:.1f} s") for seconds in (exposing, moving)),
        Fact(f"{entry.software_s:.2f} s", Tone.ALARM if entry.software_s > SOFTWARE_BUDGET_S else Tone.PLAIN),
        Fact(str(lost), Tone.ALARM if lost else Tone.PLAIN),
        *(Fact(_delay_text(_after(entry, name))) for name in ("quick_s", "measured_s")),
    ]


def _phases_text(entry: TomogramLedger) -> str:
    return "\n".join(
        f"{phase.name.replace('_', ' ')}: {phase.clock_s:.2f} s, software {phase.software_s:.2f} s"
        for phase in entry.phases
    )


def _after(entry: TomogramLedger, name: str) -> float:
    return max(float(getattr(entry, name)) - entry.ended_s, 0.0) if isfinite(entry.ended_s) else nan


def _delays(seconds: Sequence[float]) -> tuple[Fact, Fact]:
    known = [delay for delay in seconds if isfinite(delay)]
    return (Fact(_delay_text(median(known))), Fact(_delay_text(known[-1]))) if known else (NOTHING, NOTHING)


def _delay_text(delay_s: float) -> str:
    if not isfinite(delay_s):
        return "–"
    if delay_s >= IN_SECONDS_S:
        return duration_text(delay_s)
    return f"{delay_s:.2f} s" if delay_s < 60 else f"{delay_s:.0f} s"


def _rate_text(rate_per_s: float, what: str) -> str:
    return f"{rate_per_s:.3g} {what}/s" if isfinite(rate_per_s) else "–"


def _number(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}" if isfinite(value) else "–"


def _clock_text(then_s: float, wall_s: float) -> str:
    """Write a time of day, with the date if it was not today."""
    date = "%d %b "
    is_today = time_of_day(then_s, date) == time_of_day(wall_s, date)
    return time_of_day(then_s, "%H:%M:%S" if is_today else f"{date}%H:%M:%S") or "–"
