"""What in an experiment file contradicts the rest of it: one sentence per mistake, each naming its key and value."""

import math
from collections.abc import Iterator

from operando.model.cell_state import LONGEST_STEP_NAME, published_step
from operando.model.experiment import AnalysisRegion, Experiment
from operando.model.geometry import REGION_MARGIN_UM
from operando.model.limit_contradictions import limit_contradictions
from operando.model.materials import MATERIALS
from operando.model.schedule import (
    ConstantCurrent,
    ConstantVoltage,
    Loop,
    Step,
    SyncMode,
    could_name,
    tomogram_name,
    unrolled,
)

YEAR_S = 366 * 86400.0
MIN_STEP_S = 3.0  # the guard verifies a step within two polls of the potentiostat, 1 s each
MIN_SAMPLING_S = 0.05  # the guard samples no faster
MAX_SAMPLING_S = 3600.0
MAX_WINDOW_V = 0.1  # more is no set voltage any more
MIN_CURRENT_A = 1e-9  # below it no potentiostat of this kind regulates


def contradictions(experiment: Experiment) -> list[str]:
    """Return a sentence for everything in the file that cannot hold together; empty if all of it can."""
    found = [*_cell(experiment), *_limits(experiment), *_sampling(experiment), *_analysis(experiment)]
    names = [step.name for step in experiment.schedule]
    found += [
        f"schedule: two steps are named {doubled!r}. Give each its own name."
        for doubled in dict.fromkeys(name for name in names if names.count(name) > 1)
    ]
    found += _alike(experiment)
    asked_for = [asked for step in experiment.schedule for asked in getattr(step, "tomograms", ())]
    tomograms = [asked.name for asked in asked_for]
    found += [
        f"schedule: tomogram {doubled!r} is named twice. Give each its own name."
        for doubled in dict.fromkeys(name for name in tomograms if tomograms.count(name) > 1)
    ]
    repeated: set[str] = set()
    try:
        steps = unrolled(experiment.schedule)
        repeated = {tomogram_name(asked, cycle) for cycle, step in steps if cycle > 1 for asked in step.tomograms}
    except ValueError as error:
        found.append(f"schedule: {error}.")
    found += [
        f"schedule: tomogram {other.name!r} has a name that tomogram {asked.name!r} gets when it is repeated. "
        "Give it another name."
        for asked in asked_for
        for other in asked_for
        if other.name != asked.name and could_name(asked, other.name)
        if asked.every is not None or other.name in repeated
    ]
    for step in experiment.schedule:
        found += _step(experiment, step)
    found += [
        f"schedule: {doubled!r} is the name of a step and of a tomogram. Their results need different names."
        for doubled in dict.fromkeys(name for name in names if name in tomograms)
    ]
    found += [
        f"published.{entry.id}.tomogram = {entry.tomogram!r}: is no tomogram or step of the schedule. "
        f"Allowed here: {', '.join([*tomograms, *names])}."
        for entry in experiment.published
        if entry.elsewhere is None
        if entry.tomogram not in (*tomograms, *names)
        and not any(could_name(asked, entry.tomogram) for asked in asked_for)
    ]
    return found


def _alike(experiment: Experiment) -> Iterator[str]:
    first: dict[str, str] = {}
    for step in experiment.schedule:
        if isinstance(step, Loop):
            continue
        other = first.setdefault(published_step(step.name), step.name)
        if other != step.name:
            yield (
                f"schedule: steps {other!r} and {step.name!r} begin with the same {LONGEST_STEP_NAME} letters, and the "
                "guard tells no more of the name of the step that it holds. Let them differ earlier."
            )


def _cell(experiment: Experiment) -> Iterator[str]:
    cell = experiment.cell
    if cell.wall_outer_diameter <= cell.bore_diameter:
        yield (
            f"cell.wall_outer_diameter = {cell.wall_outer_diameter:g} mm: must be larger than the bore, "
            f"{cell.bore_diameter:g} mm."
        )
    if cell.upper_voltage <= cell.lower_voltage:
        yield (f"cell.upper_voltage = {cell.upper_voltage:g} V: must be above lower_voltage, {cell.lower_voltage:g} V.")
    for key, material in (("wall_material", cell.wall_material), ("active_material", cell.active_material)):
        yield from _material(f"cell.{key}", material)


def _material(key: str, material: str) -> Iterator[str]:
    if material not in MATERIALS:
        yield f"{key} = {material!r}: is no known material. Allowed here: {', '.join(MATERIALS)}."


def _limits(experiment: Experiment) -> Iterator[str]:
    sampling = experiment.sampling
    return limit_contradictions(
        experiment.limits,
        pressure_mpa=experiment.cell.stack_pressure,
        longest_period_s=max(sampling.in_tomogram, sampling.between_tomograms),
    )


def _sampling(experiment: Experiment) -> Iterator[str]:
    periods = {
        "sampling.in_tomogram": experiment.sampling.in_tomogram,
        "sampling.between_tomograms": experiment.sampling.between_tomograms,
    }
    if experiment.rehearsal is not None:
        periods["rehearsal.fast_forward_sampling"] = experiment.rehearsal.fast_forward_sampling
    for step in experiment.schedule:
        if (rare_s := getattr(step, "rehearsal_sampling", None)) is not None:
            periods[f"schedule.{step.name}.rehearsal_sampling"] = rare_s
    for key, period_s in periods.items():
        if period_s > MAX_SAMPLING_S:
            yield f"{key} = {period_s:g} s: leaves the cell unwatched; allowed is at most {MAX_SAMPLING_S:g} s."
        if period_s < MIN_SAMPLING_S:
            yield f"{key} = {period_s:g} s: is faster than the guard; allowed is at least {MIN_SAMPLING_S:g} s."


def _analysis(experiment: Experiment) -> Iterator[str]:
    analysis = experiment.analysis
    if analysis is None:
        return
    bore_um = experiment.cell.bore_diameter * 1e3
    region, grey = analysis.region, analysis.grey_reference
    boxes = [("region", region)]
    for key, box in (("crack_region", analysis.crack_region), ("displacement_region", analysis.displacement_region)):
        if box is not None:
            boxes.append((key, box))
    yield from _material("analysis.high_attenuation_material", analysis.high_attenuation_material)
    heights = [(key, box.bottom, box.top) for key, box in boxes] + [("grey_reference", grey.bottom, grey.top)]
    for key, bottom_um, top_um in heights:
        if not 0 <= bottom_um < top_um:
            yield (
                f"analysis.{key}: {bottom_um:g} to {top_um:g} um is empty or below the view; "
                "bottom must be at least 0 um and top above it."
            )
    for key, box in boxes:
        if math.hypot(box.width_x, box.width_y) > bore_um:
            yield (
                f"analysis.{key}: {box.width_x:g} x {box.width_y:g} um does not fit into the bore of "
                f"{bore_um:g} um. Make it smaller."
            )
    if 2 * grey.radius > bore_um:
        yield (
            f"analysis.grey_reference.radius = {grey.radius:g} um: reaches out of the bore; "
            f"allowed is at most {bore_um / 2:g} um."
        )
    if analysis.displacement_region is not None:
        yield from _outside_the_region(analysis.displacement_region, region)
    smallest_um = min(region.width_x, region.width_y, region.top - region.bottom)
    if analysis.resolution > smallest_um > 0:
        yield (
            f"analysis.resolution = {analysis.resolution:g} um: is coarser than the region, whose shortest side is "
            f"{smallest_um:g} um."
        )


def _outside_the_region(box: AnalysisRegion, region: AnalysisRegion) -> Iterator[str]:
    lowest_um, highest_um = region.bottom - REGION_MARGIN_UM, region.top + REGION_MARGIN_UM
    too_wide = box.width_x > region.width_x or box.width_y > region.width_y
    if too_wide or box.bottom < lowest_um or box.top > highest_um:
        yield (
            f"analysis.displacement_region: {box.width_x:g} x {box.width_y:g} um from {box.bottom:g} to {box.top:g} um "
            f"is not held by analysis.region, which is kept with {REGION_MARGIN_UM:g} um around it. Allowed are "
            f"{region.width_x:g} x {region.width_y:g} um from {max(lowest_um, 0):g} to {highest_um:g} um."
        )


def _step(experiment: Experiment, step: Step) -> Iterator[str]:
    for key in ("duration", "max_duration", "max_hold"):
        duration_s = getattr(step, key, 0.0)
        if duration_s > YEAR_S:
            yield f"schedule.{step.name}.{key} = {duration_s:g} s: is above a year. Allowed is at most {YEAR_S:g} s."
        if 0 < duration_s < MIN_STEP_S:
            yield (
                f"schedule.{step.name}.{key} = {duration_s:g} s: is over before the guard has seen it begin. "
                f"Allowed is at least {MIN_STEP_S:g} s."
            )
    if isinstance(step, ConstantCurrent):
        yield from _current(experiment, step)
        yield from _voltage(experiment, f"schedule.{step.name}.until_voltage", step.until_voltage)
    if isinstance(step, ConstantVoltage):
        yield from _voltage(experiment, f"schedule.{step.name}.voltage", step.voltage)
    for asked in getattr(step, "tomograms", ()):
        key = f"schedule.{step.name}.{asked.name}"
        if asked.voltage is not None and isinstance(step, ConstantCurrent):
            yield from _voltage(experiment, f"{key}.voltage", asked.voltage)
        elif asked.voltage is not None:
            yield f"{key}.voltage = {asked.voltage:g} V: only a constant_current step passes voltages. Use at or every."
        if not 0 < asked.window <= MAX_WINDOW_V:
            yield f"{key}.window = {asked.window:g} V: must be above 0 V and at most {MAX_WINDOW_V:g} V."
        longest_s = getattr(step, "max_duration", 0.0) or getattr(step, "duration", 0.0)
        if asked.every is not None and asked.every > longest_s:
            yield f"{key}.every = {asked.every:g} s: never comes, the step takes at most {longest_s:g} s."


def _voltage(experiment: Experiment, key: str, voltage: float) -> Iterator[str]:
    cell, limits = experiment.cell, experiment.limits
    if cell.lower_voltage < cell.upper_voltage and not cell.lower_voltage <= voltage <= cell.upper_voltage:
        yield (
            f"{key} = {voltage:g} V: lies outside the cell's voltage window, "
            f"{cell.lower_voltage:g} to {cell.upper_voltage:g} V."
        )
    elif limits.min_voltage < limits.max_voltage and not limits.min_voltage < voltage < limits.max_voltage:
        yield (
            f"{key} = {voltage:g} V: would trip the guard; the limits are "
            f"{limits.min_voltage:g} to {limits.max_voltage:g} V."
        )


def _current(experiment: Experiment, step: ConstantCurrent) -> Iterator[str]:
    key = f"schedule.{step.name}"
    try:
        asked_a = experiment.current_a(step)
    except ValueError as error:
        yield f"{key}.current: {error}."
        return
    max_a = experiment.limits.max_current
    if not MIN_CURRENT_A <= abs(asked_a) <= max_a:
        yield (
            f"{key}.current = {step.current!r}: is {asked_a * 1e6:.6g} uA; allowed is {MIN_CURRENT_A * 1e6:g} uA up to "
            f"limits.max_current, {max_a * 1e6:.4g} uA, in either direction. A current per gram is written in mA/g."
        )
        return
    targets = [asked.voltage for asked in step.tomograms if asked.voltage is not None]
    sign = 1 if asked_a > 0 else -1
    if len(set(targets)) < len(targets):
        yield (
            f"{key}.tomograms: set voltages {targets} V name one voltage twice. "
            "Take one tomogram there; a partial one is repeated by itself."
        )
    elif targets != sorted(targets, key=lambda voltage: sign * voltage):
        yield (
            f"{key}.tomograms: set voltages {targets} V are not in the order in which a current of {step.current} "
            "passes them. Correct the order or the sign of the current."
        )
    elif targets and sign * targets[-1] > sign * step.until_voltage:
        yield (
            f"{key}.until_voltage = {step.until_voltage:g} V: is reached before the set voltage {targets[-1]:g} V. "
            "Move until_voltage or leave out that tomogram."
        )
    elif targets and step.sync is SyncMode.FREE and targets[-1] == step.until_voltage:
        yield (
            f"{key}.until_voltage = {step.until_voltage:g} V: ends a free step at the set voltage of "
            f"{step.tomograms[-1].name!r}, so the cell would not cycle on. Move until_voltage on, or use firmware."
        )
