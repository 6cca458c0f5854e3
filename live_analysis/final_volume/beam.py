"""The beam of a scan on disk: darks and flats without those that cannot be such, and how it changes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_analysis.corrections.beam_intensity import BeamIntensity, beam_intensity
from live_analysis.corrections.beam_model import BeamModel, BeamOfRows, Flats
from live_analysis.corrections.broken_pixels import BrokenPixels, BrokenPixelsError, find_broken_pixels
from live_analysis.corrections.camera_limit import camera_limit
from live_analysis.corrections.frame_statistics import FrameStatistics, RunningStatistics
from live_analysis.corrections.overview import has_stopped, overview
from live_analysis.final_volume.raw_scan import FrameStack, RawScan, VolumeError

FARTHEST_FLAT = 0.3  # of their median brightness: rings decay and refill by less within one scan
BRIGHTEST_DARK = 0.1  # of the flats' brightness: more, and a shutter was open
SATURATED = 0.001  # of the pixels
UNLIT = 0.02  # of the median beam
OPAQUE = 0.02  # rows and frames darker than this carry no information
FRAMES_AT_ONCE = 32


@dataclass(frozen=True)
class BeamOfSlab:
    """What the counts of some rows are corrected with; it can be sent to another process.

    ``dark`` and ``broken`` begin with the detector row ``first_row``; ``scan_fractions``, ``shares`` and
    ``brightness`` (None: as the flats) belong to all projections, as does ``flat_shares``, shape (projection, flat): of
    which flats the beam of each is made. A pixel that reads ``max_counts`` is saturated.
    """

    first_row: int
    dark: NDArray[np.float32]
    broken: BrokenPixels
    light: BeamOfRows
    scan_fractions: NDArray[np.float64]
    shares: NDArray[np.float64]
    brightness: NDArray[np.float32] | None
    flat_shares: NDArray[np.float64]
    max_counts: float


@dataclass(frozen=True)
class Beam:
    """The beam of all projections.

    ``num_left_out`` counts darks and flats that were blank, not finite or of the other kind. ``saturated`` says whether
    flats stood at the camera's limit, ``max_counts``, in more than single pixels. ``good_darks`` and ``good_flats``
    tell which of the scan's darks, and flats before it, are used. ``flat_shares``: see `BeamOfSlab`.
    """

    dark: NDArray[np.float32]
    broken: BrokenPixels
    model: BeamModel
    scan_fractions: NDArray[np.float64]
    shares: NDArray[np.float64]
    intensity: BeamIntensity
    num_left_out: int
    saturated: bool
    good_darks: NDArray[np.bool_]
    good_flats: NDArray[np.bool_]
    flat_shares: NDArray[np.float64]
    max_counts: float

    def of_rows(self, rows: slice) -> BeamOfSlab:
        """Return what belongs to some detector rows."""
        broken = BrokenPixels(self.broken.hot[rows], self.broken.dead[rows], self.broken.saturated[rows])
        return BeamOfSlab(
            rows.start,
            self.dark[rows],
            broken,
            self.model.of_rows(rows),
            self.scan_fractions,
            self.shares,
            self.intensity.brightness,
            self.flat_shares,
            self.max_counts,
        )

    def told(self) -> dict[str, str | int | float]:
        """Say for people and programs what is done to the counts."""
        return {
            **{f"num_{kind}_pixels": num for kind, num in self.broken.counts().items()},
            "flat": self.model.method,
            "beam_intensity": self.intensity.source,
            "largest_beam_change": self.intensity.drift,
        }


def measure_beam(scan: RawScan, *, object_of_view: float | None = None) -> Beam:
    """Judge darks and flats, and look once at every projection.

    Parameters
    ----------
    object_of_view
        See `beam_intensity`.

    Raises
    ------
    VolumeError
        If no dark or no flat can be used, or they contradict each other.
    """
    dark_levels, flat_levels = _levels(scan.darks), _levels(scan.flats)
    flat_level, dark_level = _median(flat_levels), _least(dark_levels)
    flats_good = _alike(flat_levels, flat_level)
    darks_good = dark_levels <= dark_level + BRIGHTEST_DARK * max(flat_level - dark_level, 0)
    max_counts = camera_limit(_frames(scan.flats, flats_good), scan.flats.dtype)
    flat, before = _judged(scan, "flats", scan.flats, flats_good, max_counts)
    dark, _ = _judged(scan, "darks", scan.darks, darks_good, max_counts)
    goods, stacks, after = [darks_good, flats_good], [(scan.flats, flats_good)], None
    if scan.flats_after is not None:
        after_good = _alike(_levels(scan.flats_after), flat_level)
        _, after = _judged(scan, "flats after the scan", scan.flats_after, after_good, max_counts)
        goods.append(after_good)
        stacks.append((scan.flats_after, after_good))
    try:
        broken = find_broken_pixels(dark, flat)
    except BrokenPixelsError as error:
        raise VolumeError(f"{scan.source}: {error}") from error
    light = flat.mean - dark.mean
    broken = replace(broken, dead=broken.dead | ~(light > UNLIT * float(np.median(light[light > 0]))))

    def some_rows(rows: slice) -> NDArray[np.float32]:
        parts = [stack.rows(0, stack.shape[0], rows.start, rows.stop)[good] for stack, good in stacks]
        return np.concatenate(parts).astype(np.float32)

    model = BeamModel(dark.mean, before, after, some_rows)
    fractions = np.zeros(len(scan.angles_deg)) if scan.scan_fractions is None else scan.scan_fractions
    shares, intensity = _looked_at(scan, model, fractions, object_of_view, max_counts)
    return Beam(
        dark.mean,
        broken,
        model,
        fractions,
        shares,
        intensity,
        sum(int(np.count_nonzero(~good)) for good in goods),
        bool(flat.saturated.mean() > SATURATED),
        darks_good,
        flats_good,
        _flat_shares(model, fractions, shares, len(before), 0 if after is None else len(after)),
        max_counts,
    )


def _flat_shares(
    model: BeamModel, fractions: NDArray[np.float64], shares: NDArray[np.float64], num_before: int, num_after: int
) -> NDArray[np.float64]:
    """Return of which flats the beam of each projection is made, shape (projection, flat)."""
    components = model.components.shares
    if len(components):
        # Patterns are made of the flats' differences to their mean.
        return np.asarray((1 + shares @ (components - components.mean(axis=1, keepdims=True))) / components.shape[1])
    if num_after == 0:
        return np.full((len(fractions), num_before), 1 / num_before)
    sides = np.repeat((1 - fractions) / num_before, num_before), np.repeat(fractions / num_after, num_after)
    return np.concatenate([side.reshape(len(fractions), -1) for side in sides], axis=1)


def _looked_at(
    scan: RawScan,
    model: BeamModel,
    fractions: NDArray[np.float64],
    object_of_view: float | None,
    max_counts: float,
) -> tuple[NDArray[np.float64], BeamIntensity]:
    """Read every projection once; return shares of the flats' components, and the beam's brightness."""
    num, num_rows, _ = scan.projections.shape
    overviews = np.concatenate(
        [
            overview(scan.projections.rows(begin, min(begin + FRAMES_AT_ONCE, num), 0, num_rows))
            for begin in range(0, num, FRAMES_AT_ONCE)
        ]
    )
    whole = np.isfinite(overviews).all(axis=(1, 2)) & ~has_stopped(overviews, max_counts)
    shares = np.zeros((num, model.components.num_components))
    if not whole.any():
        return shares, BeamIntensity(None, "not followed: no projection is whole")
    shares[whole] = model.shares(overviews[whole], fractions[whole])
    through = model.transmission_overview(overviews, fractions, shares)
    light = np.nan_to_num(through, posinf=0, neginf=0)
    whole &= light.max(axis=(1, 2)) > OPAQUE
    open_rows = np.median(light[whole], axis=(0, 2)) > OPAQUE if whole.any() else np.zeros(light.shape[1], bool)
    if not open_rows.any():
        return shares, BeamIntensity(None, "not followed: the beam comes through no row")
    whole &= np.median(light[:, open_rows], axis=(1, 2)) > OPAQUE
    found = beam_intensity(through[whole][:, open_rows], object_of_view=object_of_view)
    if found.brightness is None:
        return shares, found
    brightness = np.ones(num, np.float32)
    brightness[whole] = found.brightness
    return shares, BeamIntensity(brightness, found.source)


def _levels(stack: FrameStack) -> NDArray[np.float64]:
    """Return the mean of every frame; NaN where a frame has a value that is not finite."""
    num, num_rows, _ = stack.shape
    return np.array([float(stack.rows(i, i + 1, 0, num_rows).mean(dtype=np.float64)) for i in range(num)])


def _alike(levels: NDArray[np.float64], level: float) -> NDArray[np.bool_]:
    return np.asarray(np.abs(levels - level) <= FARTHEST_FLAT * abs(level), np.bool_)


def _median(levels: NDArray[np.float64]) -> float:
    seen = levels[np.isfinite(levels)]
    return float(np.median(seen)) if seen.size else float("nan")


def _least(levels: NDArray[np.float64]) -> float:
    seen = levels[np.isfinite(levels)]
    return float(seen.min()) if seen.size else float("nan")


def _frames(stack: FrameStack, good: NDArray[np.bool_]) -> Iterator[NDArray[Any]]:
    """Read the good frames of a stack one by one, shape (1, row, column)."""
    for index in np.flatnonzero(good):
        yield stack.rows(int(index), int(index) + 1, 0, stack.shape[1])


def _judged(
    scan: RawScan, name: str, stack: FrameStack, good: NDArray[np.bool_], max_counts: float
) -> tuple[FrameStatistics, Flats]:
    """Return what the good frames of a stack say."""
    statistics, overviews = RunningStatistics(max_counts=max_counts), []
    for frame in _frames(stack, good):
        statistics.add(frame, np.zeros(1))
        overviews.append(overview(frame))
    found = statistics.result()
    if found is None:
        raise VolumeError(f"{scan.source}: none of the {len(good)} {name} can be used: all are blank or not finite.")
    return found, Flats(found.mean, np.concatenate(overviews))
