"""What a tomogram consists of, in numbers: the typed and JSON-able parameters of the plan."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devices.camera import FrameSeries
from devices.chip_region import ChipRegion
from devices.rotation_stage import AngleScan
from operando.model.experiment import Experiment
from operando.model.frames import FrameKind

MIN_RING_CURRENT_MA = 30.0  # below it a storage ring is being filled or has lost its beam


@dataclass(frozen=True)
class TomogramScan:
    """Frames, times, angles and sample positions of one tomogram. Positions of the sample are absolute."""

    num_darks: int
    num_flats: int
    num_projections: int
    exposure_s: float
    frame_period_s: float
    angle_range_deg: float
    num_columns: int
    num_rows: int
    binning: int
    pixel_size_um: float
    energy_kev: float
    sample_out_mm: float
    sample_in_mm: float = 0.0
    start_deg: float = 0.0
    min_ring_current_ma: float = MIN_RING_CURRENT_MA
    num_flats_after: int = 0
    placeholders: tuple[str, ...] = ()  # what only fills the form, as the start document calls it

    @property
    def angles(self) -> AngleScan:
        """The projections' angles: the last lies one step before the end of the range."""
        return AngleScan(
            start_deg=self.start_deg,
            step_deg=self.angle_range_deg / self.num_projections,
            num_frames=self.num_projections,
            period_s=self.frame_period_s,
            exposure_s=self.exposure_s,
        )

    @property
    def region(self) -> ChipRegion:
        """The part of the chip that is read."""
        return ChipRegion(self.num_columns, self.num_rows, self.binning)

    @property
    def num_frames(self) -> dict[FrameKind, int]:
        """Frames of each kind that is taken, in the order in which they are."""
        after = {FrameKind.FLAT_AFTER: self.num_flats_after} if self.num_flats_after else {}
        return {
            FrameKind.DARK: self.num_darks,
            FrameKind.FLAT: self.num_flats,
            FrameKind.PROJECTION: self.num_projections,
            **after,
        }

    @property
    def duration_s(self) -> float:
        """How long all frames take, moves not counted."""
        return sum(self.num_frames.values()) * self.frame_period_s

    def series(self, kind: FrameKind, path: Path) -> FrameSeries:
        """Return one kind's frames, written to ``path``."""
        return FrameSeries(kind, path, self.num_frames[kind], self.exposure_s, self.frame_period_s)

    def as_metadata(self) -> Mapping[str, Any]:
        """Return what the start document of a tomogram says of it."""
        return {
            "num_darks": self.num_darks,
            "num_flats": self.num_flats,
            "num_projections": self.num_projections,
            "num_flats_after": self.num_flats_after,
            "exposure_s": self.exposure_s,
            "frame_period_s": self.frame_period_s,
            "pixel_size_um": self.pixel_size_um,
            "frame_shape": [self.num_rows, self.num_columns],
            "energy_kev": self.energy_kev,
            "angle_range_deg": self.angle_range_deg,
            **({"placeholders": list(self.placeholders)} if self.placeholders else {}),
        }


def scan_of(experiment: Experiment, geometry: str) -> TomogramScan:
    """Return the tomogram of an experiment file in one of its geometries."""
    chosen, tomogram = experiment.geometry[geometry], experiment.tomogram
    known = {"pixel_size_um": chosen.pixel_size_known, "energy_kev": experiment.beam.energy_known}
    return TomogramScan(
        num_darks=tomogram.num_darks,
        num_flats=tomogram.num_flats,
        num_projections=chosen.num_projections,
        exposure_s=tomogram.exposure,
        frame_period_s=tomogram.frame_period,
        angle_range_deg=tomogram.angle_range,
        num_columns=chosen.num_columns,
        num_rows=chosen.num_rows,
        binning=chosen.binning,
        pixel_size_um=chosen.pixel_size,
        energy_kev=experiment.beam.energy,
        sample_out_mm=tomogram.sample_out,
        sample_in_mm=tomogram.sample_in,
        num_flats_after=tomogram.num_flats_after,
        placeholders=tuple(name for name, is_known in known.items() if not is_known),
    )
