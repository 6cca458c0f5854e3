"""The same slabs on the workers of a Dask cluster: each reads the raw files and writes chunks of its own."""

from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import TYPE_CHECKING

from live_analysis.engines.registry import engine_named
from live_analysis.final_volume.beam import BeamOfSlab
from live_analysis.final_volume.making import MadeVolume, Recorder, VolumeProgress
from live_analysis.final_volume.ome_zarr import VolumeStore
from live_analysis.final_volume.plan import VolumePlan
from live_analysis.final_volume.raw_scan import RawScan, VolumeError
from live_analysis.final_volume.slab import SlabDone, make_slab, rows_of_counts

if TYPE_CHECKING:
    from distributed import Client

RETRIES = 3  # of a slab whose worker raised; one whose worker died is given to another as often as the scheduler allows


def make_slabs_on_cluster(
    volume: MadeVolume, scan: RawScan, client: "Client", *, num_threads: int
) -> Iterator[VolumeProgress]:
    """Make every slab that is missing on a cluster; yield after each.

    Raw files and volume must have the same names on all workers, and each worker needs the memory of one slab for
    each of its threads. The journal is written here alone.

    Parameters
    ----------
    client
        Connected to the cluster.
    num_threads
        Threads of one slab.

    Raises
    ------
    VolumeError
        If a slab cannot be made, or the scheduler is lost.
    """
    from distributed import as_completed

    recorder = Recorder(volume, scan)
    yield recorder.progress()
    if missing := volume.missing():
        path, plan = volume.path.resolve(), volume.plan
        # Every task brings the rows of the beam that it needs: what lay on a worker would be lost with it.
        futures = [
            client.submit(
                _slab,
                plan,
                scan,
                volume.beam.of_rows(rows_of_counts(plan, index)),
                path,
                index,
                num_threads,
                pure=False,
                retries=RETRIES,
            )
            for index in missing
        ]
        try:
            for future in as_completed(futures):
                if (error := future.exception()) is not None:
                    raise VolumeError(
                        f"a worker could not make its slab: {error} If workers run out of memory, start fewer on a "
                        "machine. The same command goes on with what is missing."
                    ) from error
                yield recorder.add(future.result())
        except CancelledError as error:
            raise VolumeError(
                "the connection to the scheduler was lost. Start it and its workers again; the same command goes on "
                "with what is missing."
            ) from error
        finally:
            client.cancel(futures)
    recorder.close()


def _slab(plan: VolumePlan, scan: RawScan, beam: BeamOfSlab, path: Path, index: int, num_threads: int) -> SlabDone:
    engine = engine_named(plan.settings.engine, num_threads=num_threads)
    return make_slab(plan, scan, beam, engine, VolumeStore(path, plan), index)
