"""One ended step of the schedule from the guard's log to its measurements."""

import math
from collections.abc import Iterator, Sequence
from time import perf_counter

from live_analysis.cycling.step_quantities import HalfCycle, current_quantities, half_cycle, rest_quantities
from live_analysis.cycling.step_trace import GOOD, read_step_trace
from live_analysis.quantity import Quantity
from live_analysis.results import TomogramResults
from live_analysis.run_follower import EndedStep
from operando.model.cell_log import CellLogReader
from operando.model.experiment import Experiment
from operando.model.measurement import Measurement
from operando.model.run_directory import RunDirectory

FIRST_SAMPLES = 20  # of the load cell, among which the first good one is taken
REST, CONSTANT_CURRENT = "rest", "constant_current"


def measure_step(
    run: RunDirectory, experiment: Experiment, step: EndedStep, earlier: Sequence[EndedStep]
) -> TomogramResults:
    """Measure a step; whatever goes wrong is the ``failure`` of the results, whose ``tomogram`` is the step's name.

    Parameters
    ----------
    run, experiment
        Where the guard's log lies, and the mass of active material.
    step, earlier
        The step, and those that ended before it in the same outer run, in order.
    """
    began = perf_counter()
    measurements: tuple[Measurement, ...] = ()
    failure = ""
    try:
        log = CellLogReader(run.cell_log)
        try:
            measurements = tuple(
                quantity.measured(tomogram=step.name, run_uid=step.outer_run, time_s=step.end_s, num_frames=0)
                for quantity in _quantities(log, experiment, step, earlier)
            )
        finally:
            log.close()
    except Exception as error:  # nothing that one step holds may keep the others, or tomograms, from being measured
        failure = f"the step's samples cannot be measured: {type(error).__name__}: {error}"
    cost_s = {"analysis": perf_counter() - began}
    return TomogramResults(step.name, 0, step.outer_run, measurements, failure, cost_s)


def _quantities(
    log: CellLogReader, experiment: Experiment, step: EndedStep, earlier: Sequence[EndedStep]
) -> Iterator[Quantity]:
    trace = read_step_trace(log, step.begin_s, step.end_s)
    initial_mpa = _initial_mpa(log, earlier[0] if earlier else step)
    if step.kind == REST:
        yield from rest_quantities(trace, initial_mpa=initial_mpa)
    elif step.kind == CONSTANT_CURRENT:
        half_cycles = [entry for entry in earlier if entry.kind == CONSTANT_CURRENT]
        yield from current_quantities(
            trace,
            active_mass_mg=experiment.cell.active_mass,
            before=_last_half_cycle(log, half_cycles),
            first=_half_cycle(log, half_cycles[0]) if half_cycles else None,
            initial_mpa=initial_mpa,
        )


def _initial_mpa(log: CellLogReader, first: EndedStep) -> float | None:
    """Return the stack pressure with which the run's first step began."""
    row = next(
        (
            row
            for row in log.rows("load_cell", since_s=first.begin_s, max_num=FIRST_SAMPLES)
            if row["stack_pressure_mpa"] is not None and row["quality"] == GOOD
        ),
        None,
    )
    return None if row is None else float(row["stack_pressure_mpa"])


def _last_half_cycle(log: CellLogReader, steps: list[EndedStep]) -> HalfCycle | None:
    """Return what flowed one way before; a half cycle that was begun again, or went on in another step, is one."""
    charge_mah, uncertainty_mah = 0.0, 0.0
    for step in reversed(steps):
        found = _half_cycle(log, step)
        if found is None or found.charge_mah * charge_mah < 0:
            break
        charge_mah += found.charge_mah
        uncertainty_mah = math.hypot(uncertainty_mah, found.uncertainty_mah)
    return HalfCycle(charge_mah, uncertainty_mah) if charge_mah else None


def _half_cycle(log: CellLogReader, step: EndedStep) -> HalfCycle | None:
    return half_cycle(read_step_trace(log, step.begin_s, step.end_s))
