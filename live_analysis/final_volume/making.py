"""Makes a whole volume: begins or goes on, one slab after the other, the next one read while this one is made."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from live_analysis.corrections.stripes import StripesFound
from live_analysis.engines.engine import Engine
from live_analysis.final_volume.beam import Beam, measure_beam
from live_analysis.final_volume.declared import Declared
from live_analysis.final_volume.ome_zarr import VolumeStore, read_plan
from live_analysis.final_volume.plan import VolumePlan, VolumeSettings, differences, plan_from_json
from live_analysis.final_volume.planning import make_plan
from live_analysis.final_volume.raw_scan import RawScan, VolumeError
from live_analysis.final_volume.slab import SlabDone, counts_of, finish_slab, rows_of_counts
from live_analysis.final_volume.slab_integrals import slab_integrals
from live_analysis.final_volume.slab_journal import SlabJournal

LEAST_COMPRESSED = 0.7  # of the bytes of a volume: corners outside the view, a fifth, and little of the noise


@dataclass(frozen=True)
class VolumeProgress:
    """How far a volume is: slabs in all, on the disk, of these from an earlier process, and time left in s.

    ``left_s`` is NaN before the first slab of this process.
    """

    num_slabs: int
    num_done: int
    num_before: int
    left_s: float


@dataclass
class MadeVolume:
    """A volume, finished or not: its plan, and what each slab has lost."""

    path: Path
    plan: VolumePlan
    beam: Beam
    slabs: dict[int, SlabDone] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every slab is on the disk."""
        return len(self.slabs) == self.plan.num_slabs

    def missing(self) -> list[int]:
        """Return the slabs that are not on the disk."""
        return [index for index in range(self.plan.num_slabs) if index not in self.slabs]

    def totals(self) -> dict[str, Any]:
        """Return what was lost in all, and the flags of it."""
        slabs = self.slabs.values()
        left_out = max((slab.losses.num_left_out for slab in slabs), default=0)
        found: dict[str, Any] = {
            "num_slabs": self.plan.num_slabs,
            "num_repaired_pixels": sum(slab.losses.num_repaired for slab in slabs),
            "num_zingers": sum(slab.losses.num_zingers for slab in slabs),
            "most_projections_left_out": left_out,
            "num_rows_lost": sum(slab.num_rows_lost for slab in slabs),
            "num_rows_without_beam": self.plan.shape[0] - self._num_seen_rows(),
            "num_repeated_angles": self.plan.num_repeated_angles,
        }
        stripes = sum((slab.stripes for slab in slabs), StripesFound())
        found |= {
            "num_dead_detector_pixels": stripes.num_dead,
            "num_detector_pixels_in_wide_stripes": stripes.num_wide,
            "num_detector_pixels_off": stripes.num_narrow,
            "num_detector_pixels_off_for_a_while": stripes.num_partial,
            "largest_offset_of_a_detector_pixel": stripes.largest_offset,
        }
        flags = [*self.plan.flags]
        if left_out:
            flags.append("projections_left_out")
        if found["num_rows_lost"]:
            flags.append("rows_lost")
        return {**found, **self.beam.told(), "flags": flags}

    def _num_seen_rows(self) -> int:
        first, stop = max(self.plan.rows[0], self.plan.seen_rows[0]), min(self.plan.rows[1], self.plan.seen_rows[1])
        return max(stop - first, 0)


def begin_or_go_on(
    path: Path,
    scan: RawScan,
    settings: VolumeSettings,
    declared: Declared,
    *,
    memory_bytes: int,
    again: bool = False,
) -> MadeVolume:
    """Return the volume with the slabs that are on the disk already; make its folder if there is none.

    Parameters
    ----------
    memory_bytes
        What may be used; it counts for a new volume.
    again
        Whether a volume that is there is thrown away.

    Raises
    ------
    VolumeError
        If the folder holds another volume: other settings, other raw data.
    """
    written = read_plan(path)
    if written is not None and again:
        _throw_away(path)
        written = None
    pixel_size_um = settings.pixel_size_um or scan.pixel_size_um
    beam = measure_beam(scan, object_of_view=declared.object_of_view(scan.frame_shape[1], pixel_size_um))
    if written is None:
        plan = make_plan(scan, beam, settings, declared, memory_bytes=memory_bytes)
        _refuse_full_disk(path, plan)
        VolumeStore(path, plan).create(scan)
        return MadeVolume(path, plan, beam)
    plan = plan_from_json(written)
    if different := differences(settings, plan.settings):
        raise VolumeError(
            f"{path}: was begun with other settings ({'; '.join(different)}). Ask for the same to go on, give another "
            "folder with --out, or throw it away with --again."
        )
    if scan.fingerprint() != plan.fingerprint:
        raise VolumeError(
            f"{path}: was begun from other raw data than {scan.source} holds now. Give another folder with --out, or "
            "throw it away with --again."
        )
    return MadeVolume(path, plan, beam, SlabJournal(path).done(VolumeStore(path, plan)))


def make_slabs(volume: MadeVolume, scan: RawScan, engine: Engine) -> Iterator[VolumeProgress]:
    """Make every slab that is missing; yield after each."""
    plan, store = volume.plan, VolumeStore(volume.path, volume.plan)
    missing = volume.missing()
    recorded = Recorder(volume, scan)
    yield recorded.progress()
    if missing:
        with ThreadPoolExecutor(1, "read") as ahead:
            reading = ahead.submit(counts_of, plan, scan, missing[0])
            for place, index in enumerate(missing):
                counts = reading.result()
                if place + 1 < len(missing):
                    reading = ahead.submit(counts_of, plan, scan, missing[place + 1])
                integrals = None
                if counts is not None:
                    beam = volume.beam.of_rows(rows_of_counts(plan, index))
                    integrals = slab_integrals(counts, scan.angles_deg, beam, plan.corrections, plan.counting)
                del counts
                yield recorded.add(finish_slab(plan, scan, engine, store, index, integrals))
    recorded.close()


def _refuse_full_disk(path: Path, plan: VolumePlan) -> None:
    parent = next(folder for folder in path.absolute().parents if folder.exists())
    needed = LEAST_COMPRESSED * plan.num_bytes
    free = shutil.disk_usage(parent).free
    if free < needed:
        raise VolumeError(
            f"{path}: at least {needed / 1e9:.3g} GB are needed, {free / 1e9:.3g} GB are free. Make room, name another "
            "disk with --out, or ask for some --rows or a --region."
        )


class Recorder:
    """Writes down what is finished, and tells how long the rest will take."""

    def __init__(self, volume: MadeVolume, scan: RawScan) -> None:
        self._volume, self._scan = volume, scan
        self._journal = SlabJournal(volume.path)
        self._num_before, self._began = len(volume.slabs), perf_counter()

    def add(self, slab: SlabDone) -> VolumeProgress:
        """Take a slab whose files are on the disk."""
        self._journal.append(slab)
        self._volume.slabs[slab.index] = slab
        return self.progress()

    def progress(self) -> VolumeProgress:
        """Tell how far the volume is."""
        num_slabs, num_done = self._volume.plan.num_slabs, len(self._volume.slabs)
        num_made = num_done - self._num_before
        left_s = (perf_counter() - self._began) / num_made * (num_slabs - num_done) if num_made else float("nan")
        return VolumeProgress(num_slabs, num_done, self._num_before, left_s)

    def close(self) -> None:
        """Say in the volume what was lost, and that it is complete if it is.

        Raises
        ------
        VolumeError
            If the raw data became others on the way: slabs of two scans are no volume, and none counts any more.
        """
        volume = self._volume
        if len(volume.slabs) > self._num_before and self._scan.fingerprint() != volume.plan.fingerprint:
            self._journal.forget()
            raise VolumeError(
                f"{self._scan.source}: the raw data changed while {volume.path} was made from them. Wait until nobody "
                "writes them, and make the volume anew with --again."
            )
        VolumeStore(volume.path, volume.plan).describe(self._scan, complete=volume.complete, totals=volume.totals())


def _throw_away(path: Path) -> None:
    """Remove a volume; killed on the way, it leaves nothing that looks like one."""
    old = path.with_name(f"{path.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    path.replace(old)
    shutil.rmtree(old)
