"""A Dask cluster as a person names it."""

import logging
from collections.abc import Iterator

from live_analysis.final_volume.making import MadeVolume, VolumeProgress
from live_analysis.final_volume.raw_scan import RawScan
from operando.session.errors import RequestError

CONNECT_S = 20.0


def slabs_on_cluster(address: str, volume: MadeVolume, scan: RawScan, num_threads: int) -> Iterator[VolumeProgress]:
    """Connect to a scheduler and make the missing slabs on its workers; yield after each.

    Raises
    ------
    RequestError
        If Dask is not installed, no scheduler answers, or it has no worker.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise RequestError("--dask: Dask is not installed. Install it with pip install 'operando[dask]'.") from error
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what went wrong is said once, in our sentence
    from live_analysis.final_volume.cluster import make_slabs_on_cluster

    try:
        client = Client(address, timeout=CONNECT_S)
    except (OSError, TimeoutError, ValueError) as error:
        raise RequestError(
            f"--dask {address}: no scheduler answers ({error}). Start one with 'dask scheduler', workers with "
            "'dask worker', and give the address that the scheduler prints."
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=CONNECT_S)
        except TimeoutError as error:
            raise RequestError(
                f"--dask {address}: the scheduler has no worker, {CONNECT_S:.0f} s long. Start some with 'dask worker "
                f"{address}'; the same command goes on then."
            ) from error
        yield from make_slabs_on_cluster(volume, scan, client, num_threads=num_threads)
