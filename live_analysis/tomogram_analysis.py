"""One tomogram from its frames to its measurements."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np

from live_analysis.cell_measurements import cell_measurements
from live_analysis.corrections.broken_pixels import BrokenPixelsError
from live_analysis.corrections.counts_correction import CorrectionSettings
from live_analysis.corrections.phase import PhaseError, PhaseFilter, filter_length_um
from live_analysis.corrections.stripes import StripesFound
from live_analysis.cracks.matrix_blocks import CrackVolumeError
from live_analysis.frame_reader import FrameFileError, FrameReader
from live_analysis.grey_scale import GreyScaleError
from live_analysis.live.live_tomogram import LiveResult, LiveScan, LiveTomogram
from live_analysis.live.live_volume import Assumptions
from live_analysis.live.preview_publisher import PreviewPublisher
from live_analysis.normalisation import DeadFrameError, FlatFractionError, FrameShapeError
from live_analysis.quantity import Quantity
from live_analysis.quick_quantities import quick_quantities
from live_analysis.reconstruction.angle_weights import ProjectionError
from live_analysis.reconstruction.cylinder_model import CylinderFitError
from live_analysis.region_file import region_state, write_region
from live_analysis.region_quantities import anchored_scale, crack_quantities, region_quantities
from live_analysis.results import TomogramResults
from live_analysis.rotation_axis import LOW_CONFIDENCE, RotationAxisError
from live_analysis.run_follower import TomogramRun
from live_analysis.slices_file import write_slices
from live_analysis.slices_picture import OrthogonalSlices, slices_picture
from live_analysis.tomogram_frames import MissingFramesError, TomogramFrames
from live_analysis.tomogram_volume import Reference, TomogramVolume, reconstruct_tomogram
from operando.model.clock import Clock
from operando.model.experiment import Analysis, Experiment
from operando.model.frames import FrameKind
from operando.model.geometry import CellGeometry
from operando.model.grey_window import grey_window
from operando.model.materials import MaterialError, attenuation_per_cm
from operando.model.measurement import Measurement
from operando.model.run_directory import RunDirectory

UM_PER_MM = 1e3
MAX_RIM_GAP = 10.0  # pixels between neighbouring projections at the rim: more, and streaks pass for what is measured


class StartDocumentError(ValueError):
    """The start document of a run does not say what the analysis must know."""


# What a damaged or incomplete tomogram may cause; each message is a sentence for people.
UNUSABLE = (
    BrokenPixelsError,
    CrackVolumeError,
    CylinderFitError,
    DeadFrameError,
    FlatFractionError,
    FrameFileError,
    FrameShapeError,
    GreyScaleError,
    MaterialError,
    MissingFramesError,
    ProjectionError,
    RotationAxisError,
    StartDocumentError,
    PhaseError,
    OSError,
)


class TomogramAnalysis:
    """Follows the frames of one tomogram and, when it has ended, measures it.

    Parameters
    ----------
    run
        Where pictures and volumes go, and frames are looked for first.
    experiment
        What is known of the cell; without it there is no more than rotation axis, slices and the cell's readings.
    """

    def __init__(self, run: RunDirectory, experiment: Experiment | None, tomogram: TomogramRun) -> None:
        self._run = run
        self._experiment = experiment
        self._tomogram = tomogram
        self._frames: TomogramFrames | None = None
        self._failure = ""
        self._live: LiveTomogram | None = None

    @property
    def num_projections(self) -> int:
        """Projections received so far."""
        return 0 if self._frames is None else self._frames.num_received[FrameKind.PROJECTION]

    def begin_live(self, assumptions: Assumptions, host_clock: Clock, report: Callable[[str], None]) -> None:
        """From now on build the live volume while projections arrive, and let people see it grow.

        Parameters
        ----------
        assumptions
            What the tomogram before has told.
        host_clock, report
            See `PreviewPublisher`.

        Raises
        ------
        StartDocumentError, MaterialError
            If the start document does not say what is needed.
        """
        cell, wall_per_cm = self._cell_and_wall()
        scan = LiveScan(
            num_projections=round(self._said("num_projections")),
            angle_range_deg=self._said("angle_range_deg"),
            pixel_size_um=self._said("pixel_size_um"),
            cell=cell,
            wall_per_cm=wall_per_cm,
            run_uid=self._tomogram.uid,
            known=None if self._analysis is None else self._analysis.grey_reference,
        )
        publisher = PreviewPublisher(
            self._run,
            self._tomogram.attempt,
            tomogram=self._tomogram.name,
            run_uid=self._tomogram.uid,
            num_announced=scan.num_projections,
            voxel_size_known=self._pixel_size_known,
            host_clock=host_clock,
            report=report,
        )
        self._live = LiveTomogram(scan, self._run.volume(self._tomogram.attempt), assumptions, publisher)

    def poll_live(self) -> LiveResult | None:
        """Add what was received to the live volume; return the volume once, when all that was announced has come.

        Raises
        ------
        Exception
            If the frames cannot become a volume; there is no live volume of this tomogram then.
        """
        if self._live is None or self._frames is None:
            return None
        try:
            if self.num_projections and not self._live.begun:
                self._set_corrections(self._frames, self._said("pixel_size_um"), self._cell_and_wall()[0])
            self._live.poll(self._frames)
            if not self._live.is_complete and not self._tomogram.ended:
                return None
            result = self._live.finish()
        except Exception:
            self._live = None
            raise
        self._live = None
        if self._pixel_size_known:
            self._draw(result.slices, absolute=result.volume.grey_values_absolute, coverage=result.volume.coverage)
        return result

    def quick_result(self, live: LiveResult) -> TomogramResults:
        """Measure what the live volume tells; `result` measures it better.

        Raises
        ------
        GreyScaleError, MaterialError, StartDocumentError
            If the known slab looks like nothing, or something that must be known is not said.
        """
        began = perf_counter()
        found: list[Quantity] = []
        if self._analysis is not None and self._pixel_size_known and not self._replayed:
            found = list(quick_quantities(live, self._analysis, energy_kev=self._said("energy_kev")))
        return TomogramResults(
            tomogram=self._tomogram.name,
            attempt=self._tomogram.attempt,
            raw_run=self._tomogram.uid,
            measurements=tuple(self._measurement(quantity) for quantity in found),
            cost_s={"analysis": perf_counter() - began},
            raw_run_ended=self._tomogram.ended,
            quick=True,
        )

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
        measurements = [self._measurement(quantity) for quantity in self._cell()]
        try:
            if self._failure:
                raise FrameFileError(self._failure)
            measurements.extend(self._measurement(quantity) for quantity in self._image())
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
    def _analysis(self) -> Analysis | None:
        return None if self._experiment is None else self._experiment.analysis

    @property
    def _replayed(self) -> bool:
        """Whether the frames were recorded elsewhere, so that the cell of this run has nothing to do with them."""
        return self._rehearsal and self._experiment is not None and self._experiment.rehearsal is None

    @property
    def _pixel_size_known(self) -> bool:
        return self._tomogram.said("pixel_size_um") is not None

    @property
    def _rehearsal(self) -> bool:
        return bool(self._tomogram.start.get("rehearsal"))

    def _cell(self) -> Iterator[Quantity]:
        if self._replayed:
            return
        cell = None if self._experiment is None else self._experiment.cell
        for entry in cell_measurements(self._run, self._tomogram, cell=cell):
            yield Quantity(entry.name, entry.value, entry.unit, entry.uncertainty)

    def _image(self) -> Iterator[Quantity]:
        pixel_um, analysis = self._said("pixel_size_um"), self._analysis
        volume = self._reconstructed(pixel_um)
        scale = anchored_scale(analysis, volume)
        flags = (*self._flags(volume), *scale.flags)
        slices = scale.slices(volume.slices)
        slices = slices if self._pixel_size_known else slices.per_voxel(pixel_um)
        self._draw(slices, absolute=volume.grey_values_absolute, coverage=volume.coverage)
        write_slices(self._run.volume(self._tomogram.attempt), slices, flags=flags, run_uid=self._tomogram.uid)
        axis = volume.axis
        details: dict[str, Any] = {"confidence": axis.confidence, "method": axis.method}
        if (tilt := volume.tilt) is not None:
            details |= {"tilt_deg": tilt.tilt_deg, "tilt_uncertainty_deg": tilt.uncertainty_deg}
        yield Quantity("rotation_axis", axis.column, "column", axis.uncertainty, flags, details)
        yield Quantity("angular_coverage", volume.coverage, "1", 0.0, flags)
        yield self._repaired(volume, flags)
        if analysis is None or volume.region is None:
            return
        region = scale.region(volume.region)
        assert self._frames is not None
        state = region_state(
            region,
            num_rows=self._frames.frame_shape[0],
            pixel_size_um=pixel_um,
            tomogram=self._tomogram.name,
            run_uid=self._tomogram.uid,
        )
        write_region(self._run.volume(self._tomogram.attempt), state)
        energy_kev = self._said("energy_kev")
        for quantity in region_quantities(region, scale.grey, analysis, pixel_size_um=pixel_um, energy_kev=energy_kev):
            yield replace(quantity, flags=(*flags, *quantity.flags))
        if volume.crack_region is not None and "grey_values_not_absolute" not in flags:
            for quantity in crack_quantities(scale.region(volume.crack_region), pixel_size_um=pixel_um):
                yield replace(quantity, flags=(*flags, *quantity.flags))

    def _reconstructed(self, pixel_size_um: float) -> TomogramVolume:
        assert self._frames is not None
        analysis = self._analysis
        cell, wall_per_cm = self._cell_and_wall()
        self._set_corrections(self._frames, pixel_size_um, cell)
        return reconstruct_tomogram(
            self._frames,
            pixel_size_um,
            cell=cell,
            wall_per_cm=wall_per_cm,
            region=None if analysis is None else analysis.region.region,
            reference=None if analysis is None else _reference(analysis),
            crack_region=None if analysis is None or analysis.crack_region is None else analysis.crack_region.region,
        )

    def _set_corrections(self, frames: TomogramFrames, pixel_size_um: float, cell: CellGeometry | None) -> None:
        view_mm = frames.frame_shape[1] * pixel_size_um / UM_PER_MM
        frames.correct_with(
            CorrectionSettings(
                phase=self._phase(pixel_size_um),
                object_of_view=None if cell is None else cell.wall_outer_diameter_mm / view_mm,
            )
        )

    def _cell_and_wall(self) -> tuple[CellGeometry | None, float | None]:
        """Return bore and wall, and the wall's attenuation in 1/cm, where the experiment declares them."""
        if self._experiment is None or self._analysis is None:
            return None, None
        cell = self._experiment.cell.geometry
        return cell, attenuation_per_cm(cell.wall_material, self._said("energy_kev"))

    def _phase(self, pixel_size_um: float) -> PhaseFilter | None:
        settings = None if self._analysis is None else self._analysis.phase_retrieval
        if settings is None:
            return None
        return PhaseFilter(filter_length_um(settings, self._said("energy_kev")), pixel_size_um)

    def _repaired(self, volume: TomogramVolume, flags: tuple[str, ...]) -> Quantity:
        """Part of all values that had to be made from their neighbours; the details say what was done to the counts."""
        assert self._frames is not None
        details: dict[str, Any] = {**self._frames.corrections()}
        details |= {"num_repaired": volume.num_dead, "num_zingers": volume.num_zingers}
        details |= _stripes(volume.stripes)
        if (settings := None if self._analysis is None else self._analysis.phase_retrieval) is not None:
            ratio = settings.ratio(self._said("energy_kev"))
            details["phase_retrieval"] = (
                f"delta / beta {ratio:.4g}, {settings.distance:.4g} mm: grey values hold for a material of this ratio"
            )
        return Quantity(
            "repaired_pixels", (volume.num_dead + volume.num_zingers) / volume.num_values, "1", 0.0, flags, details
        )

    def _said(self, key: str) -> float:
        """Return a positive number of the start document."""
        value = self._tomogram.start.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
            raise StartDocumentError(
                f"The start document of {self._tomogram.name} says {key} = {value!r}; a positive number is needed. "
                f'Open the run with it, as in RE(plan, {key}=1.76) or open_run({{"{key}": 1.76}}).'
            )
        return float(value)

    def _flags(self, volume: TomogramVolume) -> tuple[str, ...]:
        flags = []
        expected = self._tomogram.start.get("num_projections")
        if expected is not None and self.num_projections != expected:
            flags.append("partial")
        if volume.rim_gap > MAX_RIM_GAP:
            flags.append("undersampled")
        if volume.axis.confidence < LOW_CONFIDENCE:
            flags.append("rotation_axis_uncertain")
        if not volume.grey_values_absolute or not self._pixel_size_known:
            flags.append("grey_values_not_absolute")
        assert self._frames is not None
        if self._frames.num_without_beam and "partial" not in flags:
            flags.append("partial")
        if self._frames.settings.phase is not None:
            flags.append("phase_retrieved")
        if self._frames.settings.lean is not None:
            flags.append("axis_straightened")
        return tuple(flags)

    def _draw(self, slices: OrthogonalSlices, *, absolute: bool, coverage: float) -> None:
        shown = np.concatenate([plane.ravel() for plane in (slices.xy, slices.xz, slices.yz)])
        mark = "REHEARSAL (simulated cell)" if self._rehearsal else ""
        picture = slices_picture(
            slices,
            tomogram=self._tomogram.name,
            voltage_v=None if self._replayed else self._first_voltage_v(),
            window=grey_window(shown),
            mark="REPLAY (recorded scan)" if self._replayed else mark,
            grey_values_absolute=absolute,
            coverage=coverage,
        )
        path = self._run.preview_picture(self._tomogram.attempt, self._tomogram.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture)

    def _first_voltage_v(self) -> float | None:
        return next((float(reading["data"]["cell_voltage"]) for reading in self._tomogram.cell_readings), None)

    def _measurement(self, quantity: Quantity) -> Measurement:
        return quantity.measured(
            tomogram=self._tomogram.name,
            run_uid=self._tomogram.uid,
            time_s=self._time_s(),
            num_frames=self.num_projections,
        )

    def _time_s(self) -> float:
        """When the tomogram's last projection was taken, on the run's clock as far as it is known."""
        readings = self._tomogram.cell_readings
        if readings:
            return float(readings[-1]["data"].get("cell_sample_time", readings[-1]["time"]))
        return float((self._tomogram.stop or self._tomogram.start)["time"])


def _stripes(found: StripesFound) -> dict[str, float]:
    """Return how many pixels of the detector were off, and by how much at most, in attenuation integrals."""
    return {
        "num_dead_detector_pixels": found.num_dead,
        "num_detector_pixels_in_wide_stripes": found.num_wide,
        "num_detector_pixels_off": found.num_narrow,
        "num_detector_pixels_off_for_a_while": found.num_partial,
        "largest_offset_of_a_detector_pixel": found.largest_offset,
    }


def _reference(analysis: Analysis) -> Reference:
    slab = analysis.grey_reference
    return Reference(slab.bottom, slab.top, slab.radius)
