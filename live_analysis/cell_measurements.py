"""What the cell did during a tomogram: voltage, current, charge, force, pressure, temperature, capacity."""

import contextlib
import math
import sqlite3
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from live_analysis.frame_reader import FrameFileError
from live_analysis.run_follower import TomogramRun
from live_analysis.virtual_frames import frame_source
from operando.model.cell_log import CellLogReader
from operando.model.clock_track import placed_rows
from operando.model.experiment import Cell
from operando.model.frames import FrameKind
from operando.model.json_lines import read_json_lines
from operando.model.materials import COULOMB_PER_MAH, FARADAY_C_PER_MOL, material
from operando.model.run_directory import RunDirectory
from operando.model.schedule import step_key

HELD_TECHNIQUE = 1  # the second technique of the pair constant current, hold
PRESSURE_ACCURACY_MPA = 0.07  # 0.1 % of 2 kN over 28 mm2
CM3_PER_MM2_IN_UM = 1e6
LARGEST_APART_S = 60.0  # of projections and the guard's rows of the same tomogram
ROWS_OF_A_HOLD = 600  # looked at first; ten minutes at a sample a second


@dataclass(frozen=True)
class CellMeasurement:
    """A reading at the first projection; the uncertainty is half its change until the last one, plus resolution.

    Charge is that in the middle of the projections, as the volumes that a tomogram shows.
    """

    name: str
    value: float
    unit: str
    uncertainty: float


# name, key of the cell's readings, unit, resolution of the reading
_READINGS = (
    ("voltage", "cell_voltage", "V", 1e-4),
    ("current", "cell_current", "A", 1e-8),
    ("charge", "cell_charge", "mAh", 1e-5),
    ("stack_pressure", "cell_pressure", "MPa", PRESSURE_ACCURACY_MPA),
    ("force", "cell_force", "N", 2.0),
    ("temperature", "cell_temperature", "degC", 0.1),
)


def cell_measurements(run: RunDirectory, tomogram: TomogramRun, *, cell: Cell | None) -> list[CellMeasurement]:
    """Return what is known of the cell during a tomogram; what was not recorded is left out.

    Without the cell's active mass there is no capacity, without the diameter of its lithium no thinning.
    """
    readings = [document["data"] for document in tomogram.cell_readings]
    if not readings:
        return []
    first, last = readings[0], readings[-1]
    found = [
        CellMeasurement(name, float(first[key]), unit, abs(float(last[key]) - float(first[key])) / 2 + resolution)
        for name, key, unit, resolution in _READINGS
        if key in first and key in last
    ]
    with contextlib.suppress(sqlite3.OperationalError):  # a run without a guard's log, or none yet
        log = CellLogReader(run.cell_log)
        try:
            rows = _rows_between(log, first, last)
            found = [
                replace(entry, value=_middle_charge(run, tomogram, log, rows))
                if rows and entry.name == "charge"
                else entry
                for entry in found
            ]
            charge_mah = next((entry for entry in found if entry.name == "charge"), None)
            if charge_mah is not None and cell is not None:
                found += _capacity(run, tomogram, log, charge_mah, cell.active_mass)
                if cell.lithium_diameter is not None:
                    found.append(_lithium_thinning(charge_mah, cell.lithium_diameter))
            found += _hold_charge(log, first, last)
        finally:
            log.close()
    return found


def _rows_between(log: CellLogReader, first: dict[str, Any], last: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the guard's rows from the first projection to the last, those without a charge left out."""
    begin, end = (int(reading.get("cell_potentiostat_row", 0)) for reading in (first, last))
    return [
        row
        for row in log.rows("potentiostat", after_id=max(begin - 1, 0), until_id=end)
        if row["charge_mah"] is not None
    ]


def _middle_charge(run: RunDirectory, tomogram: TomogramRun, log: CellLogReader, rows: list[dict[str, Any]]) -> float:
    """Return the charge in the middle of the projections, both clocks being taken to the host's."""
    made_s = [row["made_s"] for row in placed_rows(log, rows)]
    middle_s = _middle_of_projections_s(run, tomogram)
    if middle_s is None or not made_s[0] - LARGEST_APART_S <= middle_s <= made_s[-1] + LARGEST_APART_S:
        middle_s = (made_s[0] + made_s[-1]) / 2  # no frames, or a recorded scan, whose times are its own
    return float(np.interp(middle_s, made_s, [row["charge_mah"] for row in rows]))


def _middle_of_projections_s(run: RunDirectory, tomogram: TomogramRun) -> float | None:
    try:
        source = frame_source(tomogram, FrameKind.PROJECTION, run)
    except (FrameFileError, OSError):  # the analysis of the frames tells
        return None
    if source is None:
        return None
    behind_s = float((tomogram.outcome or {}).get("camera_clock_behind_s", 0.0))
    return float(source.times[0] + source.times[-1]) / 2 + behind_s


def _capacity(
    run: RunDirectory, tomogram: TomogramRun, log: CellLogReader, charge: CellMeasurement, active_mass_mg: float
) -> list[CellMeasurement]:
    """Charge per gram since the half cycle began, without its sign."""
    name = step_key(str(tomogram.start.get("step")), int(tomogram.start.get("cycle", 1)))
    begun = [
        line["time"]
        for line in read_json_lines(run.schedule)
        if isinstance(line, dict) and line.get("event") == "intent" and line.get("entry") == "step"
        if line.get("name") == name
    ]
    if not begun:
        return []
    row = next(iter(log.rows("potentiostat", since_s=begun[0], max_num=1)), None)
    if row is None or row["charge_mah"] is None:
        return []
    per_gram = 1e3 / active_mass_mg
    value = abs(charge.value - row["charge_mah"]) * per_gram
    return [CellMeasurement("capacity", value, "mAh/g", charge.uncertainty * per_gram)]


def _lithium_thinning(charge: CellMeasurement, diameter_mm: float) -> CellMeasurement:
    """Return what Faraday's law takes off a lithium electrode of that diameter: discharge thins it."""
    mol = -charge.value * COULOMB_PER_MAH / FARADAY_C_PER_MOL
    um_per_mol = material("Li").molar_volume_cm3 / (math.pi / 4 * diameter_mm**2) * CM3_PER_MM2_IN_UM
    uncertainty_um = abs(charge.uncertainty * COULOMB_PER_MAH / FARADAY_C_PER_MOL * um_per_mol)
    return CellMeasurement("lithium_thinning", mol * um_per_mol, "um", uncertainty_um)


def _hold_charge(log: CellLogReader, first: dict[str, Any], last: dict[str, Any]) -> list[CellMeasurement]:
    """Charge that passed while the voltage was held, from the stop at the set voltage to the last projection."""
    first_id, last_id = (int(reading.get("cell_potentiostat_row", 0)) for reading in (first, last))
    num_before = ROWS_OF_A_HOLD
    while True:
        until = [
            row
            for row in log.rows("potentiostat", after_id=max(first_id - num_before, 0), until_id=last_id)
            if row["charge_mah"] is not None and row["current_a"] is not None
        ]
        if not until or until[-1]["technique_index"] != HELD_TECHNIQUE:
            return []
        under_current = [index for index, row in enumerate(until) if row["technique_index"] != HELD_TECHNIQUE]
        if under_current or num_before >= first_id:
            break
        num_before *= 2  # the tomogram came late, as after a loss of the beam
    begin = under_current[-1] if under_current else 0
    passed = float(until[-1]["charge_mah"]) - float(until[begin]["charge_mah"])
    within_a_sample = abs(float(until[begin]["current_a"] or 0.0)) * float(until[begin]["period_s"]) / 3.6
    return [CellMeasurement("hold_charge", passed, "mAh", within_a_sample)]
