"""One tomogram from its frames to its measurements."""

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter

from live_analysis.corrections.broken_pixels import BrokenPixelsError
from live_analysis.corrections.phase import PhaseError
from live_analysis.cracks.matrix_blocks import CrackVolumeError
from live_analysis.earlier_states import EarlierStates
from live_analysis.frame_reader import FrameFileError, FrameReader
from live_analysis.grey_scale import GreyScaleError
from live_analysis.image_quantities import image_quantities
from live_analysis.live.live_tomogram import LiveResult, LiveScan, LiveTomogram
from live_analysis.live.live_volume import Assumptions
from live_analysis.live.preview_publisher import PreviewPublisher
from live_analysis.normalisation import DeadFrameError, FlatFractionError, FrameShapeError
from live_analysis.quantity import Quantity
from live_analysis.quick_quantities import quick_quantities
from live_analysis.reconstruction.angle_weights import ProjectionError
from live_analysis.reconstruction.cylinder_model import CylinderFitError
from live_analysis.results import TomogramResults
from live_analysis.rotation_axis import RotationAxisError
from live_analysis.run_follower import TomogramRun
from live_analysis.tomogram_context import StartDocumentError, TomogramContext
from live_analysis.tomogram_frames import MissingFramesError, TomogramFrames
from live_analysis.tomogram_picture import draw_picture
from operando.model.clock import Clock
from operando.model.experiment import Experiment
from operando.model.frames import FrameKind
from operando.model.materials import MaterialError
from operando.model.run_directory import RunDirectory

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
    earlier
        The states of the run that it is compared with; by default they are looked for in the run.
    """

    def __init__(
        self,
        run: RunDirectory,
        experiment: Experiment | None,
        tomogram: TomogramRun,
        earlier: EarlierStates | None = None,
    ) -> None:
        self._earlier = EarlierStates(run) if earlier is None else earlier
        self._context = TomogramContext(run, experiment, tomogram)
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
        context, tomogram = self._context, self._context.tomogram
        scan = LiveScan(
            num_projections=round(context.said("num_projections")),
            angle_range_deg=context.said("angle_range_deg"),
            pixel_size_um=context.said("pixel_size_um"),
            cell=context.cell,
            wall_per_cm=context.wall_per_cm,
            run_uid=tomogram.uid,
            known=None if context.analysis is None else context.analysis.grey_reference,
        )
        publisher = PreviewPublisher(
            context.run,
            tomogram.attempt,
            tomogram=tomogram.name,
            run_uid=tomogram.uid,
            num_announced=scan.num_projections,
            voxel_size_known=context.pixel_size_known,
            host_clock=host_clock,
            report=report,
        )
        self._live = LiveTomogram(scan, context.run.volume(tomogram.attempt), assumptions, publisher)

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
                self._frames.correct_with(self._context.corrections(self._frames.frame_shape[1]))
            self._live.poll(self._frames)
            if not self._live.is_complete and not self._context.tomogram.ended:
                return None
            result = self._live.finish()
        except Exception:
            self._live = None
            raise
        self._live = None
        if self._context.pixel_size_known:
            volume = result.volume
            draw_picture(self._context, result.slices, absolute=volume.grey_values_absolute, coverage=volume.coverage)
        return result

    def quick_result(self, live: LiveResult) -> TomogramResults:
        """Measure what the live volume tells; `result` measures it better.

        Raises
        ------
        GreyScaleError, MaterialError, StartDocumentError
            If the known slab looks like nothing, or something that must be known is not said.
        """
        began = perf_counter()
        context, found = self._context, []
        if context.analysis is not None and context.pixel_size_known and not context.replayed:
            found = list(quick_quantities(live, context.analysis, energy_kev=context.said("energy_kev")))
        results = self._results(found, "", perf_counter() - began)
        return replace(results, raw_run_ended=context.tomogram.ended, quick=True)

    def poll(self) -> int:
        """Take in the frames that were added; return how many. A file that cannot be used is told by the result."""
        if self._failure:
            return 0
        if self._frames is None:
            context = self._context
            self._frames = TomogramFrames(
                {kind: FrameReader(context.tomogram.frames_file(kind, context.run)) for kind in FrameKind}
            )
        try:
            return self._frames.poll()
        except UNUSABLE as error:
            self._failure = str(error)
            return 0

    def result(self) -> TomogramResults:
        """Measure what has been received; a failure is a sentence in the result, never an exception of the data."""
        began = perf_counter()
        quantities = list(self._context.readings())
        try:
            if self._failure or self._frames is None:
                raise FrameFileError(self._failure or "none of its frames has been looked for.")
            readings = tuple(quantities)
            quantities.extend(image_quantities(self._context, self._frames, readings, self._earlier))
        except UNUSABLE as error:
            self._failure = str(error)
        except Exception as error:  # what was measured before something unforeseen is kept
            self._failure = f"{type(error).__name__}: {error}."
        finally:
            if self._frames is not None:
                self._frames.close()
        return self._results(quantities, self._failure, perf_counter() - began)

    def _results(self, quantities: list[Quantity], failure: str, cost_s: float) -> TomogramResults:
        tomogram = self._context.tomogram
        return TomogramResults(
            tomogram=tomogram.name,
            attempt=tomogram.attempt,
            raw_run=tomogram.uid,
            measurements=tuple(self._context.measurement(quantity, self.num_projections) for quantity in quantities),
            failure=failure,
            cost_s={"analysis": cost_s},
        )
