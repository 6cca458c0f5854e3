"""Which processes of a run live, and since when one does not."""

import contextlib
import os
from dataclasses import dataclass, replace
from enum import StrEnum
from math import nan
from pathlib import Path

from operando.model.number_text import duration_text
from operando.model.process_files import ProcessRecord, read_pid_files
from operando.model.run_directory import RunDirectory
from operando.monitor.reading.shown_text import shown_name
from operando.monitor.reading.time_of_day import time_of_day

ROLES = ("guard", "acquisition", "analysis", "simulator")
RESTART_TOLD_S = 30.0  # a guard is back within a tenth of a second: nobody would see that it was away


class Life(StrEnum):
    """How it is with a process."""

    LIVES = "lives"
    STANDS_STILL = "stands still"
    DIED = "died"
    ENDED = "ended"
    ELSEWHERE = "on another computer"


@dataclass(frozen=True)
class ProcessView:
    """One process; ``since_s`` is when its life was first seen to be so, on the host's clock.

    Of one that was dead before anybody looked it is when it last wrote something; NaN if nobody knows. ``restarted_s``
    is when it was first seen in the place of another one that had not ended in order; NaN if it never was.
    """

    role: str
    pid: int
    life: Life
    since_s: float
    host: str = ""
    restarted_s: float = nan

    @property
    def is_missing(self) -> bool:
        """Whether it should work and does not."""
        return self.life in (Life.DIED, Life.STANDS_STILL)

    def was_restarted(self, wall_s: float) -> bool:
        """Whether it took the place of another one so lately that it is to be told; ``wall_s`` is the present time."""
        return self.life is Life.LIVES and wall_s - self.restarted_s < RESTART_TOLD_S


def restart_text(process: ProcessView, wall_s: float) -> str:
    """Say that a process was restarted and when; ``wall_s`` is the host's present time."""
    since = time_of_day(process.restarted_s, "%H:%M:%S")
    return f"The {process.role} was restarted, {since} ({duration_text(max(wall_s - process.restarted_s, 0.0))} ago)"


def death_text(process: ProcessView, wall_s: float) -> str:
    """Say that a process is missing and since when; ``wall_s`` is the host's present time."""
    what = "has DIED" if process.life is Life.DIED else "STANDS STILL"
    if not process.since_s > 0:
        return f"The {process.role} {what}"
    since = time_of_day(process.since_s, "%H:%M:%S")
    return f"The {process.role} {what}, {since} ({duration_text(max(wall_s - process.since_s, 0.0))} ago)"


class ProcessWatch:
    """Looks at the processes of a run again and again."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._known: dict[str, ProcessView] = {}
        self._untold: tuple[str, ...] = ()

    @property
    def problem(self) -> str:
        """What the pid files do not tell; empty if they tell all."""
        return f"{', '.join(self._untold)}: damaged; nobody knows whether such a process lives" if self._untold else ""

    def update(self, wall_s: float) -> tuple[ProcessView, ...]:
        """Look now; ``wall_s`` is the host's present time. Who ends in order takes its pid file away.

        Raises
        ------
        OSError
            If the folder of pid files is there and cannot be read: then nothing new is known.
        """
        with contextlib.suppress(FileNotFoundError), os.scandir(self._run.processes):
            pass
        records = {record.role: record for record in read_pid_files(self._run.processes)}
        paths = {role: self._run.processes / f"{role}.pid" for role in ROLES if role not in records}
        untold = {role: path.name for role, path in paths.items() if path.exists()}
        self._untold = tuple(untold.values())
        for role in ROLES:
            before = self._known.get(role)
            if role in records:
                seen = self._seen(records[role], before, wall_s)
            elif before is not None and role not in untold:
                seen = _changed(before, Life.ENDED, wall_s)
            else:
                continue
            self._known[role] = seen
        return tuple(self._known.values())

    def _seen(self, record: ProcessRecord, before: ProcessView | None, wall_s: float) -> ProcessView:
        life = _life(record)
        if before is not None and before.pid == record.pid:
            return _changed(before, life, wall_s)
        in_place = before is not None and before.life is not Life.ENDED and life is Life.LIVES
        begun_s = wall_s if in_place else record.create_time  # a reserve was created long before it began
        since_s = {Life.LIVES: begun_s, Life.STANDS_STILL: wall_s}.get(life)
        return ProcessView(
            record.role,
            record.pid,
            life,
            self._last_sign_s(record.role) if since_s is None else since_s,
            shown_name(record.host),
            wall_s if in_place else nan,
        )

    def _last_sign_s(self, role: str) -> float:
        """Return when a process last wrote anything, as far as its files tell."""
        run = self._run
        written: dict[str, tuple[Path, ...]] = {
            "guard": (run.cell_log, run.cell_log.with_name(run.cell_log.name + "-wal")),
            "acquisition": (run.documents, run.schedule),
            "analysis": (run.results,),
        }
        times_s = []
        for path in (run.processes / f"{role}.log", run.processes / f"{role}.pid", *written.get(role, ())):
            with contextlib.suppress(OSError):
                times_s.append(path.stat().st_mtime)
        return max(times_s, default=nan)


def _life(record: ProcessRecord) -> Life:
    if record.stopped:
        return Life.STANDS_STILL
    if record.alive:
        return Life.LIVES
    return Life.ELSEWHERE if record.elsewhere else Life.DIED


def _changed(before: ProcessView, life: Life, wall_s: float) -> ProcessView:
    return before if before.life is life else replace(before, life=life, since_s=wall_s)
