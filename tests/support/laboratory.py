"""An experiment on soft devices and a clock that jumps: whole schedules in a moment."""

import json
import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bluesky import RunEngine

from operando.model.experiment import Experiment
from operando.model.run_directory import RunDirectory
from operando.session.journal import DocumentJournal
from operando.session.unfinished import close_unfinished
from plans.experiment import ExperimentEnd, experiment_plan
from plans.instruments import Instruments
from plans.left_running import stop_what_runs
from plans.report import Wishes
from plans.schedule_journal import ScheduleJournal
from tests.support.fast_clock import FastClock, KilledError
from tests.support.soft_beamline import soft_instruments

BASE = """
[experiment]
name = "soft"
title = "soft"
[cell]
bore_diameter = "6 mm"
wall_outer_diameter = "16 mm"
wall_material = "PEEK"
active_material = "CuS"
active_mass = "1 mg"
theoretical_capacity = "561 mAh/g"
stack_pressure = "26 MPa"
lower_voltage = "0.7 V"
upper_voltage = "3.0 V"
[limits]
min_voltage = "0.6 V"
max_voltage = "3.1 V"
max_current = "1 A"
max_stack_pressure = "35 MPa"
max_temperature = "45 degC"
[sampling]
in_tomogram = "1 s"
between_tomograms = "10 s"
[beam]
energy = "35 keV"
[tomogram]
exposure = "0.5 s"
frame_period = "0.5 s"
num_darks = 2
num_flats = 2
sample_out = "12 mm"
[geometry.tiny]
num_columns = 8
num_rows = 4
pixel_size = "1 um"
field_of_view = ["0.008 mm", "0.004 mm"]
num_projections = 10
photons_per_pixel = 1e4
"""
DISCHARGE = """
[[schedule]]
step = "rest"
name = "rest"
duration = "1000 s"
tomograms = [{ name = "OCV", at = "end" }]
[[schedule]]
step = "constant_current"
name = "discharge"
current = "-0.1 A"
until_voltage = "0.7 V"
max_duration = "5000 s"
sync = "SYNC"
hold = "constant_voltage"
max_hold = "600 s"
tomograms = [{ name = "D1.7V", voltage = "1.7 V" }, { name = "D0.7V", voltage = "0.7 V" }]
"""


@dataclass
class Laboratory:
    engine: RunEngine
    folder: Path
    clock: FastClock
    instruments: Instruments
    documents: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    wishes: Wishes = field(default_factory=Wishes)
    experiment: Any = None

    @property
    def cell(self) -> Any:
        return self.instruments.cell

    def run(self, schedule: str = DISCHARGE, sync: str = "firmware", **options: Any) -> ExperimentEnd:
        self.experiment = Experiment.model_validate(tomllib.loads(BASE + schedule.replace("SYNC", sync)))
        directory = RunDirectory(self.folder)
        plan = experiment_plan(
            self.instruments, self.clock, self.experiment, geometry="tiny", run_directory=directory,
            journal=ScheduleJournal(directory.schedule, self.clock), samples=self.cell,
            metadata={}, rehearsal=True, wishes=self.wishes, **options,
        )  # fmt: skip
        end: ExperimentEnd = self.engine(plan, lambda name, doc: self.documents.append((name, doc))).plan_result
        return end

    def run_until_killed(self, time_s: float, **options: Any) -> bool:
        """Run, and be killed at a moment: instruments go on, files hold what they held; return whether it was."""
        directory = RunDirectory(self.folder)
        killed: list[int] = []
        journal = DocumentJournal(directory.documents)

        def die() -> None:
            self.clock.dead = True
            killed.extend(path.stat().st_size for path in (directory.schedule, directory.documents))

        self.clock.at(time_s, die)
        token = self.engine.subscribe(journal)
        try:
            self.run(**options)
        except KilledError:
            os.truncate(directory.schedule, killed[0])
        finally:
            self.engine.unsubscribe(token)
            journal.close()
            self.clock.dead = False
        if killed:
            os.truncate(directory.documents, killed[1])  # what was not flushed is lost
        return bool(killed)

    def clear_up(self) -> str | None:
        """Do what whoever resumes a run does first; return the uid of the outer run to go on with."""
        directory = RunDirectory(self.folder)
        self.engine = new_engine()
        journal = ScheduleJournal(directory.schedule, self.clock)
        self.engine(stop_what_runs(self.instruments, self.clock, normal_velocity_deg_s=journal.first_velocity_deg_s))
        closed = close_unfinished(directory, journal, self.clock)
        journal.close()
        return closed.outer_run

    def journal(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "schedule.jsonl").read_text().splitlines()]

    def runs(self) -> dict[str, str]:
        """Name of each run and its exit status."""
        names = {doc["uid"]: doc.get("tomogram", "outer") for name, doc in self.documents if name == "start"}
        return {names[doc["run_start"]]: doc["exit_status"] for name, doc in self.documents if name == "stop"}

    def events(self, stream: str) -> list[dict[str, Any]]:
        streams = {doc["uid"]: doc["name"] for name, doc in self.documents if name == "descriptor"}
        return [
            doc["data"] for name, doc in self.documents
            if name in ("event", "event_page") and streams[doc["descriptor"]] == stream
        ]  # fmt: skip


def new_engine() -> RunEngine:
    engine = RunEngine(call_returns_result=True)
    engine.log.disabled = True
    return engine


def new_laboratory(folder: Path) -> Laboratory:
    clock = FastClock()
    return Laboratory(new_engine(), folder, clock, soft_instruments(clock, volts_per_ampere_second=0.01))
