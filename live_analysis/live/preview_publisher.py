"""Shows the slices of a live volume to whoever looks at the run, seldom enough never to hold up the volume."""

from collections.abc import Callable
from dataclasses import replace

from live_analysis.live.growing_slices import GrowingSlices
from live_analysis.live.live_volume import FinishedVolume
from live_analysis.reconstruction.ramp_filter import UM_PER_CM
from operando.model.clock import Clock
from operando.model.plane_wish import PlaneWish, PlaneWishError, PlaneWishReader
from operando.model.preview_slices import PreviewSlices, write_preview
from operando.model.run_directory import RunDirectory

MIN_PERIOD_S = 0.2  # five pictures a second are seen as growth, and the monitor looks four times a second
MAX_SHARE = 0.25  # of the time may go into moving planes and writing them, however slow disk or computer are


class PreviewPublisher:
    """Writes the preview of one tomogram and lets its planes follow people's wishes.

    Parameters
    ----------
    run, attempt
        Where the preview goes, and wishes are looked for.
    tomogram, run_uid, num_announced
        What the preview says of itself.
    voxel_size_known
        False where the size of a pixel only stands in for an unknown one: values are per voxel then.
    host_clock
        The host's clock, for the rate.
    report
        Takes a sentence for people about what cannot be written or read, once for each.
    """

    def __init__(
        self,
        run: RunDirectory,
        attempt: int,
        *,
        tomogram: str,
        run_uid: str,
        num_announced: int,
        voxel_size_known: bool,
        host_clock: Clock,
        report: Callable[[str], None],
    ) -> None:
        self._path, self._wishes = run.preview(attempt), PlaneWishReader(run.plane_wish)
        self._tomogram, self._run_uid, self._num_announced = tomogram, run_uid, num_announced
        self._voxel_size_known, self._clock, self._report = voxel_size_known, host_clock, report
        self._wish = PlaneWish()
        self._next_s, self._last_s = float("-inf"), float("-inf")
        self._shown = 0, self._wish
        self._told = ""

    def offer(self, slices: GrowingSlices, voxel_size_um: float) -> None:
        """Write the slices if they have changed and it is time again."""
        began_s = self._clock.now()
        if self._last_s <= began_s < self._next_s:
            return
        self._look_for_a_wish()
        state = slices.num_projections, self._wish
        if not slices.num_projections or state == self._shown:
            return
        slices.move(self._wish.voxels(slices.volume_shape))
        found = slices.slices()
        planes = found.xy, found.xz, found.yz
        self._write(
            PreviewSlices(
                tomogram=self._tomogram,
                run_uid=self._run_uid,
                xy=found.xy.values,
                xz=found.xz.values,
                yz=found.yz.values,
                row=found.row,
                y=found.y,
                x=found.x,
                voxel_size_um=voxel_size_um,
                num_projections=min(plane.num_projections for plane in planes),
                num_announced=self._num_announced,
                coverage=min(plane.coverage for plane in planes),
                grey_values_absolute=slices.grey_values_absolute,
                complete=False,
            )
        )
        self._shown = state
        self._last_s = self._clock.now()
        self._next_s = began_s + max(MIN_PERIOD_S, (self._last_s - began_s) / MAX_SHARE)

    def complete(self, volume: FinishedVolume, voxel_size_um: float) -> None:
        """Write the slices of the finished volume, in which there are no rings any more."""
        self._look_for_a_wish()
        values = volume.values_per_cm
        row, y, x = self._wish.voxels((values.shape[0], values.shape[1], values.shape[2]))
        self._write(
            PreviewSlices(
                tomogram=self._tomogram,
                run_uid=self._run_uid,
                xy=values[row],
                xz=values[:, y],
                yz=values[:, :, x],
                row=row,
                y=y,
                x=x,
                voxel_size_um=voxel_size_um,
                num_projections=volume.num_projections,
                num_announced=self._num_announced,
                coverage=volume.coverage,
                grey_values_absolute=volume.grey_values_absolute,
                complete=True,
            )
        )

    def _look_for_a_wish(self) -> None:
        try:
            self._wish = self._wishes.newest() or self._wish
        except PlaneWishError as error:
            self._report(f"{error} The planes stay where they are.")

    def _write(self, preview: PreviewSlices) -> None:
        if not self._voxel_size_known:
            assert preview.voxel_size_um is not None
            per_voxel = preview.voxel_size_um / UM_PER_CM
            xy, xz, yz = (plane * per_voxel for plane in (preview.xy, preview.xz, preview.yz))
            preview = replace(preview, xy=xy, xz=xz, yz=yz, voxel_size_um=None, grey_values_absolute=False)
        try:
            write_preview(self._path, preview)
        except OSError as error:  # the disk is full, say: the volume goes on
            if str(error) != self._told:
                self._told = str(error)
                self._report(f"{self._tomogram}: no preview could be written: {error}.")
