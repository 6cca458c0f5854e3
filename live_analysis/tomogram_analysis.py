"""One tomogram from its frames to its measurements."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import h5py
import numpy as np

from live_analysis.cell_measurements import cell_measurements
from live_analysis.cylinder_model import CylinderFitError
from live_analysis.filtered_back_projection import ProjectionError
from live_analysis.frame_reader import FrameFileError, FrameReader
from live_analysis.grey_scale import GreyAnchor, GreyScale, GreyScaleError, measure_anchor, two_point_scale
from live_analysis.high_attenuation_volume import high_attenuation_volume
from live_analysis.matrix_attenuation import matrix_attenuation
from live_analysis.normalisation import DeadFrameError, FrameShapeError
from live_analysis.results import TomogramResults
from live_analysis.rotation_axis import RotationAxisError
from live_analysis.run_follower import TomogramRun
from live_analysis.slices_picture import OrthogonalSlices, slices_picture
from live_analysis.tomogram_frames import MissingFramesError, TomogramFrames
from live_analysis.tomogram_volume import Reference, RegionVolume, TomogramVolume, reconstruct_tomogram
from operando.model.experiment import Analysis, Experiment
from operando.model.frames import FrameKind
from operando.model.materials import MaterialError, attenuation_per_cm
from operando.model.measurement import Measurement
from operando.model.run_directory import RunDirectory

LOW_CONFIDENCE = 0.3
PICTURE_LEVELS_PER_CM = (0.0, 30.0)
# What a damaged or incomplete tomogram may cause; each message is a sentence for people.
UNUSABLE = (
    CylinderFitError,
    DeadFrameError,
    FrameFileError,
    FrameShapeError,
    GreyScaleError,
    MaterialError,
    MissingFramesError,
    ProjectionError,
    RotationAxisError,
    OSError,
)


@dataclass(frozen=True)
class _Scale:
    grey: GreyScale | None
    flags: tuple[str, ...]


class TomogramAnalysis:
    """Follows the frames of one tomogram and, when it has ended, measures it."""

    def __init__(self, run: RunDirectory, experiment: Experiment, tomogram: TomogramRun) -> None:
        self._run = run
        self._experiment = experiment
        self._tomogram = tomogram
        self._frames: TomogramFrames | None = None
        self._failure = ""

    @property
    def num_projections(self) -> int:
        """Projections received so far."""
        return 0 if self._frames is None else self._frames.num_received[FrameKind.PROJECTION]

    def poll(self) -> int:
        """Take in the frames that were added; return how many. A file that cannot be used is told by the result."""
        if self._failure:
            return 0
        if self._frames is None:
            self._frames = TomogramFrames(
                {kind: FrameReader(self._tomogram.frames_file(kind, self._run)) for kind in FrameKind}
            )
        try:
            return self._frames.poll()
        except UNUSABLE as error:
            self._failure = str(error)
            return 0

    def result(self) -> TomogramResults:
        """Measure what has been received; a failure is a sentence in the result, never an exception of the data."""
        began = perf_counter()
        measurements = list(self._cell())
        try:
            if self._failure:
                raise FrameFileError(self._failure)
            measurements += self._image()
        except UNUSABLE as error:
            self._failure = str(error)
        finally:
            if self._frames is not None:
                self._frames.close()
        return TomogramResults(
            tomogram=self._tomogram.name,
            attempt=self._tomogram.attempt,
            raw_run=self._tomogram.uid,
            measurements=tuple(measurements),
            failure=self._failure,
            cost_s={"analysis": perf_counter() - began},
        )

    @property
    def _replayed(self) -> bool:
        """Whether the frames were recorded elsewhere, so that the cell of this run has nothing to do with them."""
        return bool(self._tomogram.start.get("rehearsal")) and self._experiment.rehearsal is None

    def _cell(self) -> Iterator[Measurement]:
        if self._replayed:
            return
        mass_mg = self._experiment.cell.active_mass
        for entry in cell_measurements(self._run, self._tomogram, active_mass_mg=mass_mg):
            yield self._measurement(entry.name, entry.value, entry.unit, entry.uncertainty)

    def _image(self) -> Iterator[Measurement]:
        assert self._frames is not None
        start, analysis = self._tomogram.start, self._experiment.analysis
        pixel_um, energy_kev = float(start["pixel_size_um"]), float(start["energy_kev"])
        cell = None if analysis is None else self._experiment.cell.geometry
        volume = reconstruct_tomogram(
            self._frames,
            pixel_um,
            cell=cell,
            wall_per_cm=None if cell is None else attenuation_per_cm(cell.wall_material, energy_kev),
            region=None if analysis is None else analysis.region.region,
            reference=None if analysis is None else _reference(analysis),
        )
        flags = self._flags(volume)
        scale = _grey_scale(analysis, volume)
        flags += scale.flags
        self._draw(_scaled(volume.slices, scale.grey), volume, cell is not None)
        yield self._measurement(
            "rotation_axis",
            volume.axis.column,
            "column",
            volume.axis.uncertainty,
            flags=flags,
            details={"confidence": volume.axis.confidence, "method": volume.axis.method},
        )
        yield self._measurement("angular_coverage", volume.coverage, "1", 0.0, flags=flags)
        if analysis is None or volume.region is None:
            return
        region = volume.region
        if not region.complete:
            flags += ("region_cut",)
        if scale.grey is not None:
            region = replace(region, values_per_cm=scale.grey.apply(region.values_per_cm))
        self._save(region, pixel_um)
        if scale.grey is not None:
            yield self._measurement(
                "grey_scale_gain", scale.grey.gain, "1", scale.grey.uncertainty_per_cm(1.0), flags=flags
            )
        matrix = matrix_attenuation(region.values_per_cm[region.core])
        yield self._measurement("matrix_attenuation", matrix.per_cm, "1/cm", matrix.uncertainty_per_cm, flags=flags)
        yield self._high_attenuation(region, pixel_um, energy_kev, analysis, flags)

    def _high_attenuation(
        self,
        region: RegionVolume,
        pixel_um: float,
        energy_kev: float,
        analysis: Analysis,
        flags: tuple[str, ...],
    ) -> Measurement:
        material = analysis.high_attenuation_material
        found = high_attenuation_volume(
            region.values_per_cm,
            pixel_um,
            attenuation_per_cm(material, energy_kev),
            resolution_fwhm_um=analysis.resolution,
            inside=region.inside,
        )
        return self._measurement(
            "high_attenuation_volume",
            found.volume_um3,
            "um3",
            found.uncertainty_um3,
            flags=(*flags, *found.flags),
            details={
                "material": material,
                "num_components": found.num_components,
                "median_thickness_um": found.median_thickness_um,
                "noise_per_cm": found.noise_per_cm,
            },
        )

    def _flags(self, volume: TomogramVolume) -> tuple[str, ...]:
        flags = []
        expected = self._tomogram.start.get("num_projections")
        if expected is not None and self.num_projections != expected:
            flags.append("partial")
        if volume.axis.confidence < LOW_CONFIDENCE:
            flags.append("rotation_axis_uncertain")
        if not volume.grey_values_absolute:
            flags.append("grey_values_not_absolute")
        return tuple(flags)

    def _draw(self, slices: OrthogonalSlices, volume: TomogramVolume, known_material: bool) -> None:
        levels = PICTURE_LEVELS_PER_CM
        if not known_material:
            low, high = np.nanpercentile(np.concatenate([slices.xy, slices.xz, slices.yz]), (0.5, 99.0))
            levels = float(low), float(high)
        picture = slices_picture(
            slices,
            tomogram=self._tomogram.name,
            voltage_v=None if self._replayed else self._first_voltage_v(),
            grey_levels_per_cm=levels,
            rehearsal=bool(self._tomogram.start.get("rehearsal", False)) and not self._replayed,
            grey_values_absolute=volume.grey_values_absolute,
        )
        path = self._run.preview_picture(self._tomogram.attempt, self._tomogram.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture)

    def _first_voltage_v(self) -> float | None:
        return next((float(reading["data"]["cell_voltage"]) for reading in self._tomogram.cell_readings), None)

    def _save(self, region: RegionVolume, pixel_um: float) -> None:
        values = region.values_per_cm[region.core]
        folder = self._run.volume(self._tomogram.attempt)
        folder.mkdir(parents=True, exist_ok=True)
        with h5py.File(folder / "region.h5", "w") as file:
            dataset = file.create_dataset("region", data=values, chunks=(1, *values.shape[1:]))
            dataset.attrs["units"] = "1/cm"
            dataset.attrs["voxel_size_um"] = pixel_um
            dataset.attrs["order"] = "z (downwards), y, x; centred on the rotation axis"
            dataset.attrs["first_row"] = region.rows.start + region.core[0].start
            dataset.attrs["run_uid"] = self._tomogram.uid

    def _measurement(
        self,
        name: str,
        value: float,
        unit: str,
        uncertainty: float,
        *,
        flags: tuple[str, ...] = (),
        details: dict[str, Any] | None = None,
    ) -> Measurement:
        readings = self._tomogram.cell_readings
        return Measurement(
            tomogram=self._tomogram.name,
            name=name,
            value=float(value),
            unit=unit,
            uncertainty=float(uncertainty),
            run_uid=self._tomogram.uid,
            time=float(readings[-1]["data"].get("cell_sample_time", readings[-1]["time"]))
            if readings
            else float((self._tomogram.stop or self._tomogram.start)["time"]),
            num_frames=self.num_projections,
            flags=flags,
            details=details or {},
        )


def _reference(analysis: Analysis) -> Reference:
    slab = analysis.grey_reference
    return Reference(slab.bottom, slab.top, slab.radius)


def _grey_scale(analysis: Analysis | None, volume: TomogramVolume) -> _Scale:
    """Anchor the scale to the reference slab and to nothing: where there is no matter, projections add up to zero."""
    if analysis is None:
        return _Scale(None, ())
    if volume.reference_values is None or not np.isfinite(volume.reference_values).any():
        return _Scale(None, ("no_grey_reference",))
    slab = analysis.grey_reference
    void = GreyAnchor("void", 0.0, 0.0, 0.0, 0.0)
    return _Scale(two_point_scale(void, measure_anchor(volume.reference_values, slab.name, slab.attenuation)), ())


def _scaled(slices: OrthogonalSlices, scale: GreyScale | None) -> OrthogonalSlices:
    if scale is None:
        return slices
    xy, xz, yz = (scale.apply(plane) for plane in (slices.xy, slices.xz, slices.yz))
    return OrthogonalSlices(xy, xz, yz, slices.voxel_size_um)
