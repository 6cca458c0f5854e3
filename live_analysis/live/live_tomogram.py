"""Follows the projections of a tomogram and has its binned volume ready when the last one has come."""

from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from live_analysis.live.binned_frames import bin_factor
from live_analysis.live.growing_slices import GrowingSlices
from live_analysis.live.known_slab import contradicts
from live_analysis.live.live_file import write_live_volume
from live_analysis.live.live_volume import Assumptions, FinishedVolume, LiveVolume
from live_analysis.live.preview_publisher import PreviewPublisher
from live_analysis.reconstruction.angle_weights import ProjectionError
from live_analysis.slices_picture import OrthogonalSlices
from live_analysis.tomogram_frames import FRAMES_AT_ONCE, TomogramFrames
from operando.model.experiment import GreyReference
from operando.model.frames import FrameKind
from operando.model.geometry import CellGeometry

CHECK_AT = 0.9  # of the projections: what was assumed wrongly is mended before the last of them


@dataclass(frozen=True)
class LiveScan:
    """What must be known of a scan before its volume can be begun.

    ``cell``, ``wall_per_cm`` and the ``known`` material in the view are None where they were not declared.
    """

    num_projections: int
    angle_range_deg: float
    pixel_size_um: float
    cell: CellGeometry | None
    wall_per_cm: float | None
    run_uid: str
    known: GreyReference | None = None


@dataclass(frozen=True)
class LiveResult:
    """A live volume that is on disk; ``ready_s`` passed between the arrival of its last projection and then.

    Its first row is row ``first_row`` of the view, which has ``num_rows``, both in voxels.
    """

    path: Path
    volume: FinishedVolume
    voxel_size_um: float
    ready_s: float
    first_row: int
    num_rows: int

    @property
    def slices(self) -> OrthogonalSlices:
        """The three slices through the middle."""
        z, y, x = (size // 2 for size in self.volume.values_per_cm.shape)
        values = self.volume.values_per_cm
        return OrthogonalSlices(values[z], values[:, y], values[:, :, x], self.voxel_size_um)


class LiveTomogram:
    """Bins the projections of one tomogram while they arrive and adds them to its live volume.

    Parameters
    ----------
    folder
        Where the volume goes.
    assumptions
        What the tomogram before has told.
    publisher
        Shows the volume while it grows.
    """

    def __init__(self, scan: LiveScan, folder: Path, assumptions: Assumptions, publisher: PreviewPublisher) -> None:
        self._scan, self._folder, self._assumptions, self._publisher = scan, folder, assumptions, publisher
        self._factor, self._rows, self._num_rows = 1, slice(0, 0), 0
        self._volume: LiveVolume | None = None
        self._slices: GrowingSlices | None = None
        self._num_added, self._checked = 0, False
        self._last_s = perf_counter()

    @property
    def begun(self) -> bool:
        """Whether projections have been added."""
        return self._volume is not None

    @property
    def is_complete(self) -> bool:
        """Whether every projection that was announced has been added."""
        return self._num_added >= self._scan.num_projections

    def poll(self, frames: TomogramFrames) -> None:
        """Add the projections that were received since the last call.

        Raises
        ------
        ValueError
            If frames or projections are unusable; the message is a sentence.
        """
        self._last_s = perf_counter()
        num = frames.num_received[FrameKind.PROJECTION]
        while self._num_added < num:
            end = min(self._num_added + FRAMES_AT_ONCE, num)
            volume = self._volume or self._begun(frames)
            integrals, angles_deg = frames.binned_integrals(slice(self._num_added, end), self._rows, self._factor)
            if len(angles_deg):
                volume.add(integrals, angles_deg)
            self._num_added = end
            if not self._checked and end >= CHECK_AT * self._scan.num_projections:
                volume.check_assumptions()
                self._checked = True
            self._show(num)
        self._show(num)

    def finish(self) -> LiveResult:
        """Complete the volume, write it, and return it.

        Raises
        ------
        ValueError
            If nothing can be reconstructed; the message is a sentence.
        """
        if self._volume is None:
            raise ProjectionError("no projection has come, so there is no live volume.")
        voxel_size_um = self._scan.pixel_size_um * self._factor
        volume = self._judged(self._volume.finish(), voxel_size_um)
        path = write_live_volume(self._folder, volume, voxel_size_um=voxel_size_um, run_uid=self._scan.run_uid)
        first_row, num_rows = self._view
        result = LiveResult(path, volume, voxel_size_um, perf_counter() - self._last_s, first_row, num_rows)
        self._publisher.complete(volume, voxel_size_um)
        return result

    def _judged(self, volume: FinishedVolume, voxel_size_um: float) -> FinishedVolume:
        known = self._scan.known
        if known is None or not volume.grey_values_absolute:
            return volume
        wrong = contradicts(known, volume.values_per_cm, *self._view, voxel_size_um)
        return replace(volume, grey_values_absolute=not wrong)

    @property
    def _view(self) -> tuple[int, int]:
        """First row of the volume in the view, and how many the view has, in voxels."""
        return self._rows.start // self._factor, self._num_rows // self._factor

    def _show(self, num_received: int) -> None:
        """Let people see what there is, unless the last projection has come: the volume itself is next then."""
        if self._slices is not None and num_received < self._scan.num_projections:
            self._publisher.offer(self._slices, self._scan.pixel_size_um * self._factor)

    def _begun(self, frames: TomogramFrames) -> LiveVolume:
        self._factor, self._rows = bin_factor(frames.frame_shape[1]), frames.transparent_rows()
        self._num_rows = frames.frame_shape[0]
        num_rows, num_columns = (self._rows.stop - self._rows.start, frames.frame_shape[1])
        shape = num_rows // self._factor, num_columns // self._factor, self._scan.pixel_size_um * self._factor
        step_deg = self._scan.angle_range_deg / self._scan.num_projections
        slices = GrowingSlices(*shape, angle_step_deg=step_deg, num_projections=self._scan.num_projections)
        self._volume = LiveVolume(
            *shape,
            angle_step_deg=step_deg,
            assumptions=self._assumptions,
            cell=self._scan.cell,
            wall_per_cm=self._scan.wall_per_cm,
            slices=slices,
        )
        self._slices = slices
        return self._volume
