"""What an experiment file would ask of time, disk, beam and instruments; refuses what cannot work. No hardware."""

import math
from dataclasses import dataclass, field

from devices.chip_region import ChipRegion, ChipRegionError, chip_settings
from operando.model.beamline import Beamline
from operando.model.experiment import Experiment
from operando.model.limit_rules import LimitKind, Quantity
from operando.model.schedule import CellStep, ConstantCurrent, SyncMode
from plans import triggers

BYTES_PER_PIXEL = 2  # uint16
MAX_COUNTS = 65535
MOVES_S = 30.0  # of a tomogram: sample out and in, taxi, lead-in, files; assumption, rehearsals take 15 to 25 s
RENDER_S_PER_MEGAPIXEL = 0.10  # of a rehearsal, two cores: 6 to 10 ms at 0.07 megapixels, 42 ms at 0.49, measured
SAMPLE_COST_S = 0.01  # of a rehearsal: guard and acquisition for one sample in fast-forward; assumption


@dataclass(frozen=True)
class StepTime:
    """One step on the timeline, in s since the experiment's start; tomograms that stop the cell are counted in.

    A step that ends at a voltage takes at most its duration: how much charge the cell gives is what one wants to know.
    """

    name: str
    cycle: int
    begin_s: float
    duration_s: float
    num_tomograms: int
    ends_at_voltage: bool


@dataclass(frozen=True)
class CheckResult:
    """What was found; an experiment with ``refusals`` must not be started."""

    timeline: tuple[StepTime, ...]
    tomogram_s: float
    duration_s: float
    rehearsal_wall_s: float
    raw_bytes: int
    noise_per_projection: float
    largest_drift: float
    refusals: tuple[str, ...] = ()
    sentences: tuple[str, ...] = field(default=())


def check(experiment: Experiment, geometry: str, beamline: Beamline, *, disk_free_bytes: int) -> CheckResult:
    """Work out what ``experiment`` in one of its geometries needs.

    Parameters
    ----------
    disk_free_bytes
        Free space where the run directory will lie, as of ``shutil.disk_usage``.
    """
    chosen, tomogram = experiment.geometry[geometry], experiment.tomogram
    num_frames = tomogram.num_darks + tomogram.num_flats + chosen.num_projections + tomogram.num_flats_after
    tomogram_s = num_frames * tomogram.frame_period + MOVES_S
    timeline = _timeline(experiment, tomogram_s)
    num_tomograms = sum(step.num_tomograms for step in timeline)
    duration_s = sum(step.duration_s for step in timeline)
    frame_bytes = chosen.num_columns * chosen.num_rows * BYTES_PER_PIXEL
    raw_bytes = num_tomograms * num_frames * frame_bytes
    frames_cost_s = num_tomograms * num_frames * frame_bytes / BYTES_PER_PIXEL / 1e6 * RENDER_S_PER_MEGAPIXEL
    num_samples = sum(
        step.duration_s / experiment.sampling_period_s(entry, rehearsal=beamline.rehearsal)
        for step, (_, entry) in zip(timeline, experiment.steps, strict=True)
    ) + (num_tomograms * tomogram_s / experiment.sampling.in_tomogram)
    noise = 1 / math.sqrt(chosen.photons_per_pixel)
    drift = _largest_drift(experiment, chosen.num_projections * tomogram.frame_period)
    at_most = "at most " if any(step.ends_at_voltage for step in timeline) else ""
    sentences = [
        f"{len(timeline)} steps and {num_tomograms} tomograms take {at_most}{duration_s / 3600:.1f} h; "
        f"one tomogram takes {tomogram_s / 60:.1f} min.",
        f"The raw data need {raw_bytes / 1e9:.3g} GB; {disk_free_bytes / 1e9:.3g} GB are free.",
        f"{chosen.photons_per_pixel:g} photons per pixel give a noise of {noise:.2%} per pixel of the flat beam.",
        f"While the projections are taken the reaction goes on by at most {drift:.2%} of the capacity.",
    ]
    needed = math.pi / 2 * chosen.num_columns
    if chosen.num_projections < needed:
        sentences.append(
            f"{chosen.num_projections} projections are fewer than the {needed:.0f} that {chosen.num_columns} columns "
            "need at their edge: streaks of dense particles will be seen."
        )
    return CheckResult(
        timeline=tuple(timeline),
        tomogram_s=tomogram_s,
        duration_s=duration_s,
        rehearsal_wall_s=frames_cost_s + num_samples * SAMPLE_COST_S,
        raw_bytes=raw_bytes,
        noise_per_projection=noise,
        largest_drift=drift,
        refusals=tuple(_refusals(experiment, geometry, beamline, raw_bytes, disk_free_bytes, tomogram_s)),
        sentences=tuple(sentences),
    )


def _timeline(experiment: Experiment, tomogram_s: float) -> list[StepTime]:
    timeline, now_s = [], 0.0
    for cycle, step in experiment.steps:
        lasts_s = cell_s(experiment, step)
        at_voltages, at_end = triggers.at_voltages(step, cycle), triggers.at_end(step, cycle)
        stopping = at_end if isinstance(step, ConstantCurrent) and step.sync is SyncMode.FREE else at_voltages + at_end
        num = len(at_voltages) + len(at_end) + len(triggers.timed(step, cycle, lasts_s))
        duration_s = lasts_s + len(stopping) * tomogram_s
        timeline.append(StepTime(step.name, cycle, now_s, duration_s, num, isinstance(step, ConstantCurrent)))
        now_s += duration_s
    return timeline


def cell_s(experiment: Experiment, step: CellStep) -> float:
    """Return how long the cell takes to go through a step, in s: at most so long where a voltage ends it."""
    if not isinstance(step, ConstantCurrent):
        return step.duration
    capacity_mah = experiment.cell.theoretical_capacity * experiment.cell.active_mass / 1e3
    return min(capacity_mah * 3.6 / abs(experiment.current_a(step)), step.max_duration)


def _largest_drift(experiment: Experiment, projections_s: float) -> float:
    """Charge passed during the projections, as a part of the published capacity or else the theoretical one."""
    tomograms = {asked.name for _, step in experiment.steps for asked in step.tomograms}
    published = [line.value for line in experiment.published if line.name == "capacity" and line.tomogram in tomograms]
    capacity_mah_g = published[0] if published else experiment.cell.theoretical_capacity
    capacity_mah = capacity_mah_g * experiment.cell.active_mass / 1e3
    currents_a = [
        abs(experiment.current_a(step))
        for _, step in experiment.steps
        if isinstance(step, ConstantCurrent) and step.tomograms
    ]
    return max(currents_a, default=0.0) * projections_s / 3.6 / capacity_mah


def _refusals(
    experiment: Experiment, geometry: str, beamline: Beamline, raw_bytes: int, free_bytes: int, tomogram_s: float
) -> list[str]:
    chosen, tomogram, camera = experiment.geometry[geometry], experiment.tomogram, beamline.camera
    found = []
    try:
        chip_settings(
            ChipRegion(chosen.num_columns, chosen.num_rows, chosen.binning),
            chip_columns=camera.chip_columns,
            chip_rows=camera.chip_rows,
        )
    except ChipRegionError as error:
        found.append(f"geometry.{geometry}: {error}")
    if tomogram.frame_period < camera.min_frame_period_s:
        found.append(
            f"tomogram.frame_period is {tomogram.frame_period:g} s, but the camera needs at least "
            f"{camera.min_frame_period_s:g} s. Lengthen it."
        )
    if chosen.photons_per_pixel > MAX_COUNTS:
        found.append(
            f"geometry.{geometry}.photons_per_pixel: {chosen.photons_per_pixel:g} at one count each are more than "
            f"the {MAX_COUNTS} counts of a frame. Shorten the exposure or attenuate the beam."
        )
    found += space_refusal(raw_bytes, free_bytes) + _outside_the_view(experiment, geometry)
    found += _sample_in_the_way(experiment, geometry, beamline)
    if not beamline.rehearsal:  # which is sampled as [rehearsal] says
        found += _sampled_too_rarely(experiment)
    for step in experiment.schedule:
        found += [
            f"schedule.{step.name}.{asked.name}.every is {asked.every:g} s, but a tomogram takes {tomogram_s:.0f} s. "
            "Lengthen it or take fewer projections."
            for asked in getattr(step, "tomograms", ())
            if asked.every is not None and asked.every < tomogram_s
        ]
        if not isinstance(step, ConstantCurrent):
            continue
        asked_a = abs(experiment.current_a(step))
        if asked_a > beamline.potentiostat.max_current_a:
            found.append(
                f"schedule.{step.name}.current: {asked_a * 1e6:.4g} uA are more than the potentiostat's range, "
                f"{beamline.potentiostat.max_current_a * 1e6:.4g} uA. Lower the current or change the range."
            )
        holds = step.sync is not SyncMode.FREE and any(asked.voltage is not None for asked in step.tomograms)
        if holds and step.max_hold < tomogram_s:
            found.append(
                f"schedule.{step.name}.max_hold is {step.max_hold:g} s, but a tomogram takes {tomogram_s:.0f} s. "
                "Lengthen max_hold or take fewer projections."
            )
    return found


def space_refusal(raw_bytes: int, free_bytes: int) -> list[str]:
    """Return the sentence that refuses raw data for which there is no space, or nothing."""
    if raw_bytes <= free_bytes:
        return []
    return [
        f"the raw data need {raw_bytes / 1e9:.3g} GB, but {free_bytes / 1e9:.3g} GB are free. "
        "Free some space or choose another folder."
    ]


def _sampled_too_rarely(experiment: Experiment) -> list[str]:
    stale_s = min(
        rule.delay_s
        for rule in experiment.limits.rules
        if (rule.quantity, rule.kind) == (Quantity.POTENTIOSTAT, LimitKind.STALE)
    )
    sampling = experiment.sampling
    return [
        f"sampling.{key} is {period_s:g} s, but a potentiostat that is silent for {stale_s:g} s is to be noticed, and "
        "limits are looked at with each sample only. Sample more often."
        for key, period_s in (
            ("in_tomogram", sampling.in_tomogram),
            ("between_tomograms", sampling.between_tomograms),
        )
        if period_s > stale_s
    ]


def _outside_the_view(experiment: Experiment, geometry: str) -> list[str]:
    if experiment.analysis is None:
        return []
    width_mm, height_mm = experiment.geometry[geometry].imaging.field_of_view_mm
    width_um, height_um = width_mm * 1e3, height_mm * 1e3
    analysis = experiment.analysis
    boxes = {
        "region": analysis.region,
        "crack_region": analysis.crack_region,
        "displacement_region": analysis.displacement_region,
    }
    places = [(name, math.hypot(box.width_x, box.width_y), box.top) for name, box in boxes.items() if box is not None]
    found = []
    for name, across_um, top_um in (
        *places,
        ("grey_reference", 2 * analysis.grey_reference.radius, analysis.grey_reference.top),
    ):
        if across_um > width_um:
            found.append(
                f"analysis.{name} is {across_um:.0f} um across, but geometry.{geometry} sees {width_um:.0f} um. "
                "Make it smaller or widen the view."
            )
        if top_um > height_um:
            found.append(
                f"analysis.{name} reaches up to {top_um:g} um, but geometry.{geometry} sees heights up to "
                f"{height_um:.0f} um. Lower its top or add rows."
            )
    return found


def _sample_in_the_way(experiment: Experiment, geometry: str, beamline: Beamline) -> list[str]:
    out_mm, in_mm, stage = experiment.tomogram.sample_out, experiment.tomogram.sample_in, beamline.sample_x
    clear_mm = (experiment.cell.wall_outer_diameter + experiment.geometry[geometry].imaging.field_of_view_mm[0]) / 2
    found = []
    if abs(out_mm - in_mm) < clear_mm:
        found.append(
            f"tomogram.sample_out is {out_mm:g} mm, {abs(out_mm - in_mm):g} mm from sample_in, so the cell would still "
            f"stand in the flats; half its wall and half the view are {clear_mm:.2f} mm. Move it farther out."
        )
    low_mm = -math.inf if stage.low_limit_mm is None else stage.low_limit_mm
    high_mm = math.inf if stage.high_limit_mm is None else stage.high_limit_mm
    found += [
        f"tomogram.{key} is {place_mm:g} mm, but sample_x travels from {low_mm:g} to {high_mm:g} mm. "
        "Choose a place within its travel."
        for key, place_mm in (("sample_out", out_mm), ("sample_in", in_mm))
        if not low_mm <= place_mm <= high_mm
    ]
    return found
