"""Makes run directories as the guard, the acquisition and the analysis would leave them, finished or growing."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from PySide6 import QtGui

from operando.model import frames
from operando.model.cell_log import CellLogWriter
from operando.model.frames import FrameKind
from operando.model.json_lines import JsonLinesWriter
from operando.model.run_directory import RunDirectory

START_S = 1_700_000_000.0
PERIOD_S = 30.0
REST_S, DISCHARGE_S = 24 * 3600.0, 50 * 3600.0
ROWS, COLUMNS = 112, 320
SET_VOLTAGES = {"D1.7V": 1.7, "D1.2V": 1.2, "D0.7V": 0.7}


def cell_at(elapsed_s: float) -> tuple[float, float, float, float]:
    """Return V, A, mAh and MPa of a cell that rests, discharges at 11.52 uA and charges again."""
    if elapsed_s < REST_S:
        return 2.15 + 0.02 * np.exp(-elapsed_s / 9e3), 0.0, 0.0, 22.0 + 4.0 * np.exp(-elapsed_s / 1.5e4)
    progress = (elapsed_s - REST_S) / DISCHARGE_S
    if progress <= 1.0:
        voltage = 2.1 - 0.35 * np.tanh(progress * 40) - 0.35 * progress - 0.7 * max(progress - 0.85, 0) / 0.15
        return float(voltage), -11.52e-6, -0.576 * progress, 22.0 - 3.0 * min(progress, 0.5)
    return 1.4 + 1.4 * (progress - 1.0), 11.52e-6, -0.576 * (2.0 - progress), 20.5 + 2.0 * (progress - 1.0)


class FakedRun:
    """A run directory whose writers this object plays; ``wall_s`` stands in for the host's clock."""

    def __init__(self, path: Path, *, rehearsal: bool = True) -> None:
        self.run = RunDirectory(path)
        for folder in (path, self.run.frames, self.run.report, self.run.volumes, self.run.processes):
            folder.mkdir(parents=True, exist_ok=True)
        self.run.experiment.write_text('[experiment]\nname = "cus_26mpa"\n')
        self.run.beamline.write_text(f'name = "simulated"\nrehearsal = {str(rehearsal).lower()}\n')
        self.log = CellLogWriter(self.run.cell_log)
        self.documents = JsonLinesWriter(self.run.documents)
        self.schedule = JsonLinesWriter(self.run.schedule)
        self.results = JsonLinesWriter(self.run.results)
        self.num_samples = 0
        self.wall_s = START_S
        self._num_measurements = 0
        self._image_file: Any = None
        self.event("guard", "Started.")
        self.document("start", uid="outer", kind="experiment", name="cus_26mpa", rehearsal=rehearsal)

    @property
    def time_s(self) -> float:
        """Time of the newest sample."""
        return START_S + PERIOD_S * self.num_samples

    def document(self, document_name: str, **content: object) -> None:
        self.documents.append([document_name, {"time": self.time_s, **content}], durable=False)
        self.documents.flush()

    def event(self, kind: str, text: str) -> None:
        self.log.event(kind, text, time_s=self.time_s, wall_s=self.wall_s)
        self.log.commit()

    def step(self, name: str, state: str) -> None:
        """Begin a step of the schedule."""
        self.schedule.append({"time": self.time_s, "event": "intent", "entry": "step", "name": name}, durable=False)
        self.schedule.flush()
        self.event("step", name)
        self.event("state", f"OPEN_CIRCUIT to {state}")

    def sample(self, num: int, *, voltage_v: float | None = None, quality: str = "OK") -> None:
        """Append samples; a ``voltage_v`` given goes before the cell's own."""
        for _ in range(num):
            self.num_samples += 1
            elapsed_s = self.time_s - START_S
            voltage, current_a, charge_mah, pressure_mpa = cell_at(elapsed_s)
            when: dict[str, Any] = {
                "time_s": self.time_s,
                "wall_s": self.wall_s,
                "period_s": PERIOD_S,
                "quality": quality,
            }
            shown_v = voltage if voltage_v is None else voltage_v
            self.log.sample(
                "potentiostat", values=(elapsed_s, shown_v, current_a, charge_mah, charge_mah, 1.0, 0.0), **when
            )
            force_n = pressure_mpa * 28.27
            self.log.sample("load_cell", values=(force_n * 8.0, force_n, pressure_mpa), **when)
            self.log.sample("temperature", values=(25.0 + 0.2 * np.sin(elapsed_s / 7e3),), **when)
        self.log.commit()

    def begin_tomogram(self, name: str, attempt: int, *, num_projections: int = 360) -> None:
        """Write the start document and an empty frames file that is open for following."""
        self.document(
            "start",
            uid=f"tomogram {attempt}",
            kind="tomogram",
            tomogram=name,
            attempt=attempt,
            num_projections=num_projections,
        )
        path = self.run.frames_file(attempt, FrameKind.PROJECTION)
        self._image_file = h5py.File(path, "x", libver="latest")
        self._image_file.create_dataset(
            frames.IMAGES, (0, ROWS, COLUMNS), "u2", maxshape=(None, ROWS, COLUMNS), chunks=(1, ROWS, COLUMNS)
        )
        self._image_file.swmr_mode = True

    def expose(self, num: int) -> None:
        """Commit frames of the tomogram that was begun."""
        images = self._image_file[frames.IMAGES]
        row, column = np.mgrid[:ROWS, :COLUMNS]
        for _ in range(num):
            first = images.shape[0]
            shadow = 0.4 * np.exp(-(((column - 160 - 90 * np.sin(first / 40)) / 25) ** 2 + ((row - 50) / 14) ** 2))
            images.resize(first + 1, axis=0)
            images[first] = (20_000 * (1 - shadow) * (0.6 + 0.3 * row / ROWS)).astype("u2")
        images.flush()

    def end_tomogram(self, attempt: int, *, exit_status: str = "success", reason: str = "") -> None:
        self._image_file.close()
        self._image_file = None
        self.document(
            "stop", uid=f"stop {attempt}", run_start=f"tomogram {attempt}", exit_status=exit_status, reason=reason
        )

    def measure(
        self,
        tomogram: str,
        name: str,
        value: float | None,
        unit: str,
        uncertainty: float,
        *,
        replaces: str | None = None,
    ) -> str:
        """Write one measurement; return the uid of its event."""
        self._num_measurements += 1
        uid = f"measurement {self._num_measurements}"
        data: dict[str, object] = {
            "tomogram": tomogram,
            "name": name,
            "value": value,
            "unit": unit,
            "uncertainty": uncertainty,
            "run_uid": "tomogram 1",
            "time": self.time_s,
            "num_frames": 360,
            "flags": [],
            "replaces": replaces,
            "details": {},
        }
        self.results.append(
            ["event", {"uid": uid, "descriptor": "d", "time": self.time_s, "data": data}], durable=False
        )
        self.results.flush()
        return uid

    def draw_preview(self, tomogram: str, attempt: int) -> None:
        """Write a picture of three slices beside each other."""
        row, column = np.mgrid[:200, :600]
        discs = 90 + 60 * (((column % 200 - 100) ** 2 + (row - 100) ** 2) < 80**2) + 60 * ((column + row * 3) % 37 < 3)
        grey = np.ascontiguousarray(discs.astype(np.uint8))
        image = QtGui.QImage(grey.data, 600, 200, 600, QtGui.QImage.Format.Format_Grayscale8)
        image.save(str(self.run.preview_picture(attempt, tomogram)))

    def close(self) -> None:
        """Close what is open, as the processes do when they end."""
        if self._image_file is not None:
            self._image_file.close()
        self.log.close()
        for writer in (self.documents, self.schedule, self.results):
            writer.close()


def finished_run(path: Path, *, num_samples: int = 11_000) -> FakedRun:
    """Make a run of about 91 h with five tomograms, their measurements and a limit event; it is closed."""
    faked = FakedRun(path)
    done = 0

    def until(share: float) -> None:
        nonlocal done
        faked.sample(round(share * num_samples) - done)
        done = round(share * num_samples)

    faked.step("rest", "RUNNING")
    for attempt, (name, share) in enumerate(
        {"OCV": 0.26, "D1.7V": 0.36, "D1.2V": 0.74, "D0.7V": 0.8, "C2.5V": 0.95}.items(), start=1
    ):
        until(share)
        if name == "OCV":
            faked.step("discharge", "RUNNING")
        if name == "C2.5V":
            faked.step("charge", "RUNNING")
        faked.event("state", "RUNNING to HOLDING")
        faked.begin_tomogram(name, attempt)
        faked.expose(3)
        until(share + 0.005)
        failed = name == "D1.7V"
        faked.end_tomogram(
            attempt, exit_status="fail" if failed else "success", reason="3 of 360 lost" if failed else ""
        )
        faked.draw_preview(name, attempt)
        faked.event("state", "HOLDING to RUNNING")
        volume_um3 = {"OCV": 0.0, "D1.7V": 2.61e4, "D1.2V": 1.74e5, "D0.7V": 3.66e5, "C2.5V": 9.8e4}[name]
        voltage, _, charge_mah, pressure_mpa = cell_at(faked.time_s - START_S)
        faked.measure(name, "high_attenuation_volume", volume_um3, "um3", 4e3)
        faked.measure(name, "voltage", voltage, "V", 1e-4)
        faked.measure(name, "stack_pressure", pressure_mpa, "MPa", 0.03)
        faked.measure(name, "capacity", abs(charge_mah) / 1.152e-3, "mAh/g", 1.0)
        faked.measure(name, "rotation_axis", 159.6, "column", 0.1)
    faked.event("limit", "The temperature is 45.3 degC, above max_temperature 45 degC.")
    until(1.0)
    faked.document("stop", uid="outer stop", run_start="outer", exit_status="success", reason="")
    faked.close()
    return faked
