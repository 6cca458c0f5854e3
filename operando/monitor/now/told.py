"""What the column beside the figures says at a moment; nothing here draws."""

from math import inf, isfinite

from operando.model.frames import FrameKind
from operando.model.number_text import duration_text
from operando.monitor.now.told_card import Told, Tone
from operando.monitor.reading.frame_counts import WORDS, FrameCount, lost_text
from operando.monitor.reading.run_processes import Life
from operando.monitor.reading.run_view import RunView, TomogramView, age_text

STATES = {  # the mark tells states apart for those who see no colours, the words say what the cell does
    "STARTING": ("○", "the guard begins", Tone.PLAIN),
    "OPEN_CIRCUIT": ("○", "no current flows", Tone.PLAIN),
    "RUNNING": ("●", "a technique runs", Tone.GOOD),
    "HOLDING": ("■", "the cell is held", Tone.GOOD),
    "STEP_ENDED": ("○", "the technique has ended", Tone.PLAIN),
    "TRIPPED": ("▲", "open circuit until a person clears it", Tone.ALARM),
    "UNSAFE": ("▲", "the cell may still be connected", Tone.ALARM),
    "ENDED": ("○", "the guard has ended", Tone.PLAIN),
}


def guard_told(view: RunView, wall_s: float) -> Told:
    """Say what the guard is doing, or that nobody guards; ``wall_s`` is the host's present time."""
    guards = [process for process in view.missing if process.role == "guard"]
    heading = _guard_heading(view, wall_s)
    if guards:
        last = f"last state: {_plain(view.state)}" if view.state else ""
        trip = f"trip: {view.trip}" if view.trip else ""
        main = "✕ DEAD" if guards[0].life is Life.DIED else "✕ STANDS STILL"
        return Told(heading, main, ("NOBODY GUARDS THE CELL", *filter(None, (last, trip))), Tone.ALARM)
    if not view.state and view.log_is_read:
        return Told(heading, "–", ("nothing logged yet",))
    if not view.log_is_read:
        last = f"last known: {_plain(view.state)}" if view.state else ""
        lines = "the guard's log cannot be read", *filter(None, (last, view.trip))
        return Told(heading, "▲ unknown", lines, Tone.ALARM if view.trip else Tone.WARNING)
    if view.state == "ENDED" and not view.ended:
        return Told(heading, "▲ ENDED", ("nobody guards the cell",), Tone.WARNING)
    mark, meaning, tone = STATES.get(view.state, ("○", "", Tone.PLAIN))
    return Told(heading, f"{mark} {_plain(view.state)}", tuple(filter(None, (view.trip, meaning))), tone)


def _guard_heading(view: RunView, wall_s: float) -> str:
    """Return the heading, with the age of what the guard wrote last where that is not what is now."""
    newest = max(view.figures.values(), key=lambda figure: figure.wall_s if isfinite(figure.wall_s) else -inf)
    age = age_text(wall_s - newest.wall_s)
    is_past = age.endswith("ago") and (view.ended or view.is_stale(newest, wall_s))
    return f"Guard · last heard of {age}" if is_past else "Guard"


def step_told(view: RunView) -> Told:
    """Say which step goes on, with which technique and for how long."""
    step = view.situation.step
    if view.ended:
        return Told("Step", f"run ended: {view.ended}")
    if step is None:
        return Told("Step", "none under way")
    lines = tuple(filter(None, (step.technique, step.time_text(view.now_s))))
    return Told(step.place_text.capitalize() or "Step", step.name, lines)


def next_told(view: RunView) -> Told:
    """Say which tomogram comes next, and when as far as anybody knows."""
    triggers, heading = view.situation.triggers, "Next tomogram"
    if view.ended:
        return Told(heading, "none, the run has ended")
    if view.situation.limits is None:
        return Told(heading, "unknown", ("the experiment file cannot be read",))
    if not triggers:
        return Told(heading, "none is to come")
    first, *others = triggers
    when = first.when_text(view.now_s, clock_is_the_walls=view.rehearsal is False)
    then = f"then {others[0].text}" if others else ""
    return Told(heading, first.text, tuple(filter(None, (when or "no estimate", then))))


def tomogram_told(view: RunView) -> Told:
    """Say how far the tomogram has come that is taken, else how the last one ended."""
    running, counts = view.running_tomogram, view.situation.frames
    if running is not None:
        return _progress(running, counts)
    if not view.tomograms:
        return Told("Tomograms", "none yet")
    last, num = view.tomograms[-1], len(view.tomograms)
    is_whole = last.exit_status == "success" and not view.situation.num_lost
    tone = Tone.PLAIN if is_whole else Tone.WARNING
    lines = ((last.reason,) if last.reason else ()) + _counted(counts)
    main = f"{'' if is_whole else '▲ '}{last.name}: {last.exit_status}"
    return Told(f"Last of {num} tomogram{'s' if num > 1 else ''}", main, lines, tone)


def run_told(view: RunView) -> Told:
    """Say how long the run has been going, and how much room the disk has left where that means something."""
    disk = view.situation.disk
    room = () if disk is None else (f"disk: {disk.text}",)
    if disk is not None and disk.is_short:
        return Told("Disk", f"▲ {disk.text}", (view.time_text,) if view.time_text else (), Tone.ALARM)
    if not view.time_text:
        return Told("Run", "–", room)
    since = f"since the start{' on the clock of the rehearsal' if view.rehearsal else ''}"
    return Told("Run", duration_text(max(view.now_s - view.start_s, 0.0)), (since, *room))


def _progress(running: TomogramView, counts: tuple[FrameCount, ...]) -> Told:
    expected, received = sum(count.expected for count in counts), sum(count.received for count in counts)
    is_short = any(count.lost for count in counts)
    under_way = next((count for count in counts if not count.is_over), None)
    main = "its frames are complete" if under_way is None else f"{WORDS[under_way.kind]} {under_way.progress_text}"
    return Told(
        f"Tomogram {running.name} · attempt {running.attempt}",
        f"▲ {lost_text(counts)}" if is_short else main,
        _counted(counts),
        Tone.ALARM if is_short else Tone.PLAIN,
        min(received / expected, 1.0) if expected else 0.0,
    )


def _counted(counts: tuple[FrameCount, ...]) -> tuple[str, ...]:
    """Return lines with what was received of each kind, each with what was lost of it."""
    others = " · ".join(count.text for count in counts if count.kind is not FrameKind.PROJECTION)
    projections = [count.text for count in counts if count.kind is FrameKind.PROJECTION]
    none_lost = "" if any(count.lost for count in counts) else lost_text(counts)
    return tuple(filter(None, (others, " · ".join(filter(None, (*projections, none_lost))))))


def _plain(state: str) -> str:
    return state.replace("_", " ")
